# What the set-up scripts share: how they speak, and how a system package gets installed. Sourced, never run.

say() { echo "· $*" >&2; }

# stop SENTENCE HINT
stop() {
    echo "error: $1" >&2
    echo "hint:  $2" >&2
    exit 1
}

# apt_line PACKAGE… : the line that a person would type.
apt_line() {
    [ "$(id -u)" = 0 ] || printf 'sudo '
    echo "apt-get install $*"
}

# apt_install PACKAGE… : installs where that needs nobody's password, and fails where it cannot. The caller knows what
# can be done without.
apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    say "Installing $*."
    log=$(mktemp)
    # On a machine that has just started another apt may be at work: wait for it.
    if apt-get update >"$log" 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1; then
        rm -f "$log"
    else
        say "apt-get could not: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
        rm -f "$log"
        return 1
    fi
}
