package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// head begins a new report.
const head = `# What it costs

Written by ` + "`go run ./cmd/bench -o cmd/bench/RESULTS.md`" + `; do not edit. Medians, with the smallest and the largest of the rounds in brackets, of programs that took
turns on one machine. The load generator is on the same machine, too: compare what stands in one table.
`

// write puts text into the report at path, in the place of what it had under name, or at its end; without a path it prints it.
func write(path, name, text string) error {
	if path == "" {
		_, err := fmt.Println(text)
		return err
	}
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		old, err = []byte(head), nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(splice(string(old), name, text)), 0o644)
}

// splice replaces what report has between the marks of name by text, or adds it at the end.
func splice(report, name, text string) string {
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
	whole := begin + "\n" + strings.TrimSpace(text) + "\n\n" + end
	before, rest, found := strings.Cut(report, begin)
	if found {
		if _, after, ended := strings.Cut(rest, end); ended {
			return before + whole + after
		}
	}
	return strings.TrimRight(report, "\n") + "\n\n" + whole
}

// commit names what is measured, with a plus if it was changed since.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(out))
	if changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no", "--", "*.go").Output(); err != nil || len(changed) > 0 {
		name += "+"
	}
	return name
}
