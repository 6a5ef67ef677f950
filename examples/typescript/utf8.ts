// Makes protobuf-es keep U+FEFF at the start of a string, where it is a character rather than a byte order mark.

import { configureTextEncoding, getTextEncoding } from "@bufbuild/protobuf/wire";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
configureTextEncoding({ ...getTextEncoding(), decodeUtf8: (bytes) => utf8.decode(bytes) });
