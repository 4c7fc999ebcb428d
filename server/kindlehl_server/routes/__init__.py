"""Routes: thin. Unpack the request, make one call, map the answer."""
