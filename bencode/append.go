package bencode

import "strconv"

// AppendString appends the string s to dst and returns the extended slice.
func AppendString(dst []byte, s string) []byte {
	dst = strconv.AppendUint(dst, uint64(len(s)), 10)
	dst = append(dst, ':')
	return append(dst, s...)
}

// AppendBytes appends the string b to dst and returns the extended slice.
func AppendBytes(dst, b []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(len(b)), 10)
	dst = append(dst, ':')
	return append(dst, b...)
}

// AppendInt appends the integer n to dst and returns the extended slice.
func AppendInt(dst []byte, n int64) []byte {
	dst = append(dst, 'i')
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, 'e')
}

// AppendListStart opens a list. Its items follow, then [AppendEnd].
func AppendListStart(dst []byte) []byte { return append(dst, 'l') }

// AppendDictStart opens a dict. Its entries follow, each an [AppendKey] and a
// value, then [AppendEnd].
//
// The caller writes the keys in ascending order of their bytes, each once: that
// is part of the form (BEP 3). A test that passes the result through [Decode]
// proves it.
func AppendDictStart(dst []byte) []byte { return append(dst, 'd') }

// AppendKey appends the key of a dict entry, so that one line writes an entry:
//
//	dst = bencode.AppendInt(bencode.AppendKey(dst, "interval"), 1800)
func AppendKey(dst []byte, key string) []byte { return AppendString(dst, key) }

// AppendEnd closes the innermost open list or dict.
func AppendEnd(dst []byte) []byte { return append(dst, 'e') }
