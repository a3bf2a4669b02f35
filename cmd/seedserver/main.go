// Command seedserver publishes the files of a directory with BitTorrent, as a web server would with HTTP.
//
// Run it on a directory; every file in it becomes a torrent once it is completely there, is seeded, tracked and listed:
//
//	seedserver ./files
//
// seedserver --help lists the other commands and every default.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/seedserver/bittorrent/dht/dhtnet"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// commandLine is everything a person can type.
type commandLine struct {
	Config  string           `help:"Read settings from this TOML file. Variables override it, flags override both." placeholder:"FILE" type:"path"`
	Version kong.VersionFlag `env:"-" help:"Print the version and exit."`

	Serve       serveCmd  `cmd:"" default:"withargs" help:"Publish a directory: watch, seed, index, track. The default command."`
	Get         getCmd    `cmd:"" help:"Download a torrent, from a file, a URL or a magnet link."`
	Track       trackCmd  `cmd:"" help:"Run a tracker that is alone, over HTTP and UDP."`
	Scrape      scrapeCmd `cmd:"" help:"Ask a tracker how many have a torrent."`
	Many        manyCmd   `cmd:"" help:"Download and seed every torrent of a directory."`
	Status      statusCmd `cmd:"" help:"Show what a running server sends, to how many, and how much it has sent."`
	Why         whyCmd    `cmd:"" help:"Say why a file is served at the rate it is."`
	Create      createCmd `cmd:"" help:"Make .torrent files."`
	Show        showCmd   `cmd:"" help:"Show what a .torrent file or a magnet link says."`
	Verify      verifyCmd `cmd:"" help:"Check that data matches its .torrent file."`
	Magnet      magnetCmd `cmd:"" help:"Print the magnet link of a .torrent file."`
	Ledger      ledgerCmd `cmd:"" help:"Print how much was sent of each file, and what it saved."`
	DHT         dhtCmd    `cmd:"" name:"dht" help:"Ask the DHT: whether a node is there, who has a torrent; or be a node of it."`
	CheckConfig checkCmd  `cmd:"" name:"check-config" help:"Check the settings without starting anything, and print them."`
}

// streams are where a command writes: results to out, progress and messages to err.
type streams struct {
	out, err io.Writer
}

func main() {
	limitMemory()
	os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// run carries out one command line and returns the exit code.
func run(args []string, s streams) int {
	var cl commandLine
	parser, err := newParser(&cl, s)
	if err != nil {
		fmt.Fprintln(s.err, "seedserver:", err)
		return exitFailed
	}
	args = understand(args)
	if err := checkCommand(args, parser.Model); err != nil {
		return usage(s, err)
	}
	kctx, err := parse(parser, args)
	if err != nil {
		return usage(s, err)
	}
	if kctx == nil { // --help or --version has said its piece
		return exitDone
	}
	ctx, stop := signalContext()
	defer stop()
	kctx.BindTo(ctx, (*context.Context)(nil))
	kctx.Bind(s, &cl, rawArgs(args))
	err = kctx.Run()
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errUsage):
		return usage(s, err)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		said := strings.NewReplacer(context.Canceled.Error(), "interrupted", context.Cause(ctx).Error(), "interrupted")
		fmt.Fprintln(s.err, "seedserver:", said.Replace(err.Error()))
		return exitFailed
	default:
		fmt.Fprintln(s.err, "seedserver:", err)
		return exitFailed
	}
}

// rawArgs is the command line as it was typed, for reading the settings again.
type rawArgs []string

// errUsage marks what is wrong with the command line rather than with the work.
var errUsage = errors.New("usage")

// usageError is a complaint about the command line.
type usageError struct{ reason string }

func (e usageError) Error() string        { return e.reason }
func (e usageError) Is(target error) bool { return target == errUsage }

func usage(s streams, err error) int {
	fmt.Fprintf(s.err, "seedserver: %v\nRun \"%s\" for what can be said.\n", err, helpFor(err))
	return exitUsage
}

// newParser builds the grammar. Help goes to s.out.
func newParser(cl *commandLine, s streams) (*kong.Kong, error) {
	return kong.New(cl,
		kong.Name("seedserver"),
		kong.Description("Drop a file into a directory, and it is published with BitTorrent: made a torrent once it is completely there, seeded, tracked, listed on a page. "+
			"Every flag can also be set by a variable (--max-up: SEEDSERVER_MAX_UP) and, for serve, in a TOML file."),
		kong.Vars{"version": version(), "routers": strings.Join(dhtnet.PublicRouters, ",")},
		kong.DefaultEnvars("SEEDSERVER"),
		kong.NamedMapper("path", kong.MapperFunc(decodePath)),
		kong.ValueFormatter(func(v *kong.Value) string { return v.Help }), // the variables follow one rule: no need to list them
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Writers(s.out, s.err),
		kong.Exit(func(int) { panic(exited{}) }),
	)
}

// exited unwinds kong's exit hook after --help and --version.
type exited struct{}

// parse reads args, the environment and the configuration file they name. A nil context means that nothing is left to do.
func parse(parser *kong.Kong, args []string) (kctx *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exited); !ok {
				panic(r)
			}
			kctx, err = nil, nil
		}
	}()
	path, err := configPath(args)
	if err != nil {
		return nil, err
	}
	if path != "" {
		file, err := readConfigFile(path, parser.Model)
		if err != nil {
			return nil, err
		}
		if err := kong.Resolvers(file).Apply(parser); err != nil {
			return nil, err
		}
	}
	return parser.Parse(args)
}

// version is what the module was built as.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}
