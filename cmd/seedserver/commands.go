package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// understand rewrites what people type at first: "help" and "version" are no flags to them. A directory of such a name is published
// by "seedserver serve help", or ./help.
func understand(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case args[0] == "version" && len(args) == 1:
		return []string{"--version"}
	}
	return args
}

// checkCommand refuses a first word that is neither a command nor a directory but looks like a command: a directory of that name
// would be made and published.
func checkCommand(args []string, model *kong.Application) error {
	word := args[0]
	if strings.HasPrefix(word, "-") || word != filepath.Base(word) || strings.HasPrefix(word, ".") {
		return nil
	}
	if _, err := os.Stat(word); err == nil {
		return nil
	}
	var near []string
	for _, c := range model.Children {
		d := distance(word, c.Name)
		if d == 0 {
			return nil
		}
		if d <= 2 && 2*d < max(len(word), len(c.Name)) {
			near = append(near, c.Name)
		}
	}
	if len(near) == 0 {
		return nil
	}
	best := slices.MinFunc(near, func(a, b string) int { return cmp.Compare(distance(word, a), distance(word, b)) })
	return usageError{fmt.Sprintf("%q is no command and no directory; did you mean %q? (To publish a new directory of that name: seedserver serve %s)", word, best, word)}
}

// distance returns how many bytes have to be put in, taken out or changed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// helpFor returns the command line that prints the flags of the command that err is about.
func helpFor(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			return node.FullPath() + " --help"
		}
	}
	return "seedserver --help"
}
