package catalog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Rules are the criteria of one directory, for itself and all below it. The
// zero value lets everything through. A file must pass the rules of every
// directory above it: a child directory narrows, never widens.
//
// A pattern without a slash is matched with the last element of a path at any
// depth, one with a slash with the whole path below the directory that has the
// rules. "*", "?", "[a-z]" and "\" are as in [path.Match] and stay within an
// element; "**" as an element is any number of elements. Case matters.
type Rules struct {
	// Include, if not empty, are patterns of which a file must match one. To a
	// unit below they apply as if it were a file.
	Include []string
	// Exclude are patterns of files and directories that are left out.
	Exclude []string
	// MinSize and MaxSize are in bytes. If zero, no bound. To a unit below they
	// apply as if it were a file.
	MinSize, MaxSize int64
	// Unit makes the directory one torrent. Inside a unit it means nothing.
	Unit bool
	// Description is what people are told about the directory itself, Meta what
	// they are told about what is directly in it, by name.
	Description Description
	Meta        map[string]Description
	// Policy has the values of the keys access and mode as the TOML decoder
	// gives them. It is nil unless the file may set policy: owned by
	// root or our user and not writable by group or others. Of a file that may
	// not, access is false, if it says anything of it.
	Policy map[string]any
}

// Description is what people are told about a file or a directory. It is plain
// text, of any length that fits into a .seedserver.toml.
type Description struct {
	Title, Description string
}

// Or returns d with what it does not say taken from e.
func (d Description) Or(e Description) Description {
	return Description{cmp.Or(d.Title, e.Title), cmp.Or(d.Description, e.Description)}
}

// Bounds of a .seedserver.toml.
const (
	maxRulesSize = 64 << 10 // bytes
	maxPatterns  = 1000     // in each list
	// The TOML decoder takes minutes for a key of 30,000 parts or as many
	// tables inside of each other.
	maxDots   = 32 // in the keys of one line
	maxTables = 32 // inline ones, "{"
)

// policyKeys are the keys that only a trusted file may set.
var policyKeys = []string{accessKey, "mode"}

const accessKey = "access"

// ParseRules reads a .seedserver.toml of at most 64 KiB:
//
//	include  = ["*.iso", "docs/**"]
//	exclude  = ["*.bak"]
//	min-size = "1MiB"       # or a number of bytes
//	max-size = "50GB"
//	unit     = true
//
//	title       = "Holidays"     # of the directory itself
//	description = "All of them."
//	[meta."beach.mp4"]           # of what is in it
//	title       = "At the beach"
//
// The keys access and mode are kept in Rules.Policy if trusted, else
// ignored; but access then is false, which is for nobody: who meant to keep
// something private does not publish it by a wrong mode. Unknown keys are ignored too; warning names all that was ignored, or
// is empty. The error is a [*RulesError]; no rule may be taken from such a file,
// since what it meant to exclude is not known.
func ParseRules(b []byte, trusted bool) (rules Rules, warning string, err error) {
	if len(b) > maxRulesSize {
		return Rules{}, "", &RulesError{Reason: fmt.Sprintf("longer than %d bytes", maxRulesSize)}
	}
	if err := checkNesting(b); err != nil {
		return Rules{}, "", err
	}
	var keys map[string]any
	if err := toml.Unmarshal(b, &keys); err != nil {
		return Rules{}, "", syntaxError(err)
	}
	var unknown, untrusted []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		switch {
		case !slices.Contains(policyKeys, key):
			known, err := rules.set(key, keys[key])
			if err != nil {
				return Rules{}, "", &RulesError{Reason: fmt.Sprintf("%s %v", key, err)}
			}
			if !known {
				unknown = append(unknown, strconv.Quote(key))
			}
		case !trusted:
			untrusted = append(untrusted, key)
			if key == accessKey {
				rules.Policy = map[string]any{accessKey: false}
			}
		default:
			if rules.Policy == nil {
				rules.Policy = map[string]any{}
			}
			rules.Policy[key] = keys[key]
		}
	}
	if _, err := compileRules(rules); err != nil {
		return Rules{}, "", &RulesError{Reason: err.Error()}
	}
	return rules, ignored(unknown, untrusted), nil
}

// checkNesting refuses what the TOML decoder would be slow on. It knows no
// strings: what is in them may count too.
func checkNesting(b []byte) error {
	if bytes.Count(b, []byte("{")) > maxTables {
		return &RulesError{Reason: fmt.Sprintf("more than %d inline tables", maxTables)}
	}
	number := 0
	for line := range bytes.Lines(b) {
		number++
		if bytes.Count(keysOf(line), []byte(".")) > maxDots {
			return &RulesError{Line: number, Reason: fmt.Sprintf("a key of more than %d parts", maxDots)}
		}
	}
	return nil
}

// keysOf returns the part of a line in which keys can be: a key ends at a "="
// of its own line, or is the name of a table.
func keysOf(line []byte) []byte {
	if end := bytes.LastIndexByte(line, '='); end >= 0 {
		return line[:end]
	}
	if bytes.HasPrefix(bytes.TrimSpace(line), []byte("[")) {
		return line
	}
	return nil
}

// set takes the value of one key for criteria, and reports whether there is
// such a key.
func (r *Rules) set(key string, value any) (known bool, err error) {
	switch key {
	case "include":
		r.Include, err = stringList(value)
	case "exclude":
		r.Exclude, err = stringList(value)
	case "min-size":
		r.MinSize, err = parseSize(value)
	case "max-size":
		r.MaxSize, err = parseSize(value)
	case "unit":
		var ok bool
		if r.Unit, ok = value.(bool); !ok {
			err = errors.New("is neither true nor false")
		}
	case "meta":
		r.Meta, err = descriptions(value)
	default:
		return r.Description.set(key, value)
	}
	return true, err
}

// set takes the value of one key that describes something, and reports whether
// there is such a key.
func (d *Description) set(key string, value any) (known bool, err error) {
	var field *string
	switch key {
	case "title":
		field = &d.Title
	case "description":
		field = &d.Description
	default:
		return false, nil
	}
	text, ok := value.(string)
	if !ok {
		return true, errors.New("is not a string")
	}
	*field = text
	return true, nil
}

// descriptions reads a table of tables.
func descriptions(value any) (map[string]Description, error) {
	tables, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("is not a table of names")
	}
	all := make(map[string]Description, len(tables))
	for name, value := range tables {
		keys, ok := value.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("of %q is not a table: a name with a dot needs quotes", name)
		}
		var d Description
		for key, value := range keys {
			known, err := d.set(key, value)
			switch {
			case err != nil:
				return nil, fmt.Errorf("of %q: %s %w", name, key, err)
			case !known:
				return nil, fmt.Errorf("of %q: %q is neither title nor description: a name with a dot needs quotes", name, key)
			}
		}
		all[name] = d
	}
	return all, nil
}

// ignored returns the one warning about what was ignored.
func ignored(unknown, untrusted []string) string {
	var parts []string
	if len(unknown) > 0 {
		const most = 10
		if len(unknown) > most {
			unknown = append(unknown[:most:most], "...")
		}
		parts = append(parts, "unknown keys "+strings.Join(unknown, ", "))
	}
	if len(untrusted) > 0 {
		parts = append(parts, strings.Join(untrusted, ", ")+" (the file must be owned by root or the server's user and not be writable by others)")
	}
	if len(parts) == 0 {
		return ""
	}
	return "ignored: " + strings.Join(parts, "; ")
}

// syntaxError returns the RulesError of an error of the TOML decoder.
func syntaxError(err error) error {
	var parse toml.ParseError
	if errors.As(err, &parse) {
		return &RulesError{Line: parse.Position.Line, Reason: parse.Message}
	}
	return &RulesError{Reason: err.Error()}
}

func stringList(value any) ([]string, error) {
	items, ok := value.([]any)
	if !ok {
		return nil, errors.New("is not a list of strings")
	}
	if len(items) > maxPatterns {
		return nil, fmt.Errorf("has more than %d patterns", maxPatterns)
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := item.(string)
		if !ok {
			return nil, errors.New("is not a list of strings")
		}
		list = append(list, s)
	}
	return list, nil
}

var sizeUnits = map[string]float64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

// parseSize reads a number of bytes, or a string like "1.5GiB" or "50 MB".
func parseSize(value any) (int64, error) {
	const largest = 1 << 60
	switch v := value.(type) {
	case int64:
		if v >= 0 && v <= largest {
			return v, nil
		}
	case string:
		digits := strings.TrimRight(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
		unit, ok := sizeUnits[strings.ToLower(strings.TrimSpace(v[len(digits):]))]
		n, err := strconv.ParseFloat(digits, 64)
		if ok && err == nil && n >= 0 && n*unit <= largest {
			return int64(n * unit), nil
		}
	}
	return 0, errors.New(`is not a size like 1048576 or "1MiB"`)
}

// ruleset is compiled Rules.
type ruleset struct {
	Rules
	include, exclude []pattern
}

func compileRules(r Rules) (*ruleset, error) {
	include, err := compilePatterns(r.Include)
	if err != nil {
		return nil, err
	}
	exclude, err := compilePatterns(r.Exclude)
	if err != nil {
		return nil, err
	}
	return &ruleset{Rules: r, include: include, exclude: exclude}, nil
}

// judgeExcluded decides about any path below the rules' directory.
func (r *ruleset) judgeExcluded(rel string) verdict {
	if matchAny(r.exclude, rel) {
		return leftOut("excluded")
	}
	return accepted
}

// judgeContent decides about a file, or a unit, of so many bytes.
func (r *ruleset) judgeContent(rel string, size int64) verdict {
	switch {
	case len(r.Include) > 0 && !matchAny(r.include, rel):
		return leftOut("not included")
	case size < r.MinSize:
		return leftOut("smaller than %d bytes", r.MinSize)
	case r.MaxSize > 0 && size > r.MaxSize:
		return leftOut("larger than %d bytes", r.MaxSize)
	}
	return accepted
}
