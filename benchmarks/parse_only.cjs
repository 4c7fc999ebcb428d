// Parses a clippings file with one npm package, named as the first argument, and prints how many records it gave.
const [, , name, path] = process.argv;
const text = require("fs").readFileSync(path, "utf8").replace(/^\ufeff/, "");
const parser = require(name);
const count =
  name === "@hadynz/kindle-clippings"
    ? parser.groupToBooks(parser.readMyClippingsFile(text)).reduce((sum, book) => sum + book.annotations.length, 0)
    : parser.parseKindleEntries(parser.readKindleClipping(text)).length;
console.log(count);
