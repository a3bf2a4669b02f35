package udptracker

// Options of an announce (BEP 41).
const (
	optionEnd     = 0 // no more options
	optionNOP     = 1 // has no length
	optionURLData = 2
	maxOption     = 255 // bytes of data
)

// appendPath appends path as options: "if the URL data exceeds 255 bytes [...]
// it is split into several" of them, each but the last full.
func appendPath(dst []byte, path string) []byte {
	for path != "" {
		n := min(len(path), maxOption)
		dst = append(dst, optionURLData, byte(n))
		dst = append(dst, path[:n]...)
		path = path[n:]
	}
	return dst
}

// appendOptions appends the URL data among options to path. A broken option
// ends them.
func appendOptions(path, options []byte) []byte {
	for len(options) > 0 {
		kind := options[0]
		options = options[1:]
		switch {
		case kind == optionEnd:
			return path
		case kind == optionNOP:
			continue
		case len(options) == 0 || len(options)-1 < int(options[0]):
			return path
		}
		data := options[1 : 1+int(options[0])]
		if kind == optionURLData {
			path = append(path, data...)
		}
		options = options[1+len(data):]
	}
	return path
}
