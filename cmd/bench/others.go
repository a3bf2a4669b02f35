package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed lt.py
var libtorrentScript []byte

// others is the software of others that is installed: the path of each program, empty if it is missing.
type others struct {
	python, script                  string // a python that imports libtorrent, and what it is to run
	opentracker, mktorrent, aria2   string
	libtorrentVersion, aria2Version string
}

// findOthers looks for them, and puts the script for libtorrent into dir.
func findOthers(ctx context.Context, dir string) (o others) {
	o.script = filepath.Join(dir, "lt.py")
	if os.WriteFile(o.script, libtorrentScript, 0o644) == nil {
		for _, python := range []string{"python3", "/usr/bin/python3"} {
			if out, err := exec.CommandContext(ctx, python, o.script, "version").Output(); err == nil {
				o.python, o.libtorrentVersion = python, strings.TrimSpace(string(out))
				break
			}
		}
	}
	o.opentracker, _ = exec.LookPath("opentracker")
	o.mktorrent, _ = exec.LookPath("mktorrent")
	if o.aria2, _ = exec.LookPath("aria2c"); o.aria2 != "" {
		out, _ := exec.CommandContext(ctx, o.aria2, "--version").Output()
		o.aria2Version = string(bytes.TrimSpace(regexp.MustCompile(`\d+(\.\d+)+`).Find(out)))
	}
	return o
}

// versions names those that are there.
func (o others) versions() (names []string) {
	if o.python != "" {
		names = append(names, "libtorrent "+o.libtorrentVersion)
	}
	if o.aria2 != "" {
		names = append(names, "aria2 "+o.aria2Version)
	}
	for _, program := range []struct{ name, path string }{{"opentracker", o.opentracker}, {"mktorrent", o.mktorrent}} {
		if program.path != "" {
			names = append(names, program.name+debian(program.name))
		}
	}
	return names
}

// missing says what is not there, and what to do about it.
func (o others) missing() string {
	var lacking []string
	for _, program := range []struct{ name, path string }{
		{"python3-libtorrent", o.python}, {"opentracker", o.opentracker}, {"mktorrent", o.mktorrent}, {"aria2", o.aria2},
	} {
		if program.path == "" {
			lacking = append(lacking, program.name)
		}
	}
	if len(lacking) == 0 {
		return ""
	}
	return fmt.Sprintf("Missing, and so not measured (on Debian, apt install them): %s.", strings.Join(lacking, ", "))
}

// debian is the version of an installed package, for programs that do not tell theirs.
func debian(name string) string {
	out, err := exec.Command("dpkg-query", "-W", "-f", " ${Version}", name).Output()
	if err != nil {
		return ""
	}
	return string(out)
}
