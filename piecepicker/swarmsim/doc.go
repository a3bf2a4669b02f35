// Package swarmsim runs a simulated swarm around one seed, to see what the seed's policy costs and how fast the swarm is done.
//
// # Nouns
//
// A [Server] is the seed: what it does is what is being looked at. A [piecepicker.Picker] is one as it stands, so the code
// that is simulated is the code that serves. [NormalSeed], [SuperSeed] and [StrictSuperSeed] are what others do, for
// comparison. A [Group] is a number of peers alike: when they come, how fast their lines are, how long they stay, what they
// lie about. A [Result] is what came of it.
//
//	r := swarmsim.Run(swarmsim.Config{
//		Pieces: 256, PieceLength: 1 << 20, Uplink: 4 << 20,
//		Server: swarmsim.Picker(piecepicker.Conservative, 0),
//		Groups: []swarmsim.Group{{Count: 100}},
//	})
//	fmt.Println(r.First.Copies, r.All.Copies, r.All.At)
//
// Time is virtual, and all randomness comes from Config.Seed: the same Config gives the same Result.
//
// # Model
//
// Time goes in steps of a quarter of a second. Within a step bytes are a fluid: each uploader shares its line evenly among
// those who take from it, as far as their own lines can take it. A connection that has finished a piece begins the next within
// the same step, so steps bound no speed.
//
// Leeches behave as mainstream clients do. They keep 40 to 80 neighbours, which a tracker tells them at random. They take the
// piece that is rarest among their neighbours: of equals one that is begun and that nobody is bringing, and such a piece
// before all others when there are many; the first four at random. When nothing else is left, several neighbours bring parts
// of one piece. Every 10 s they unchoke the four interested neighbours that gave them most in the last 20 s, and another at
// random, for 30 s; when complete, whoever waited longest. HAVE goes to all neighbours and to the server. They take from the
// server like from any neighbour: what it shows them, when it unchokes them.
//
// The server takes up to 200 connections; who finds it full comes again every 30 s. Whom the server shows interest gives it a
// slot, Config.Audit later, and answers what it asks for: honest peers with their bytes, junk seeds with others. Liars and free
// riders do not.
//
// # Figures
//
// RESULTS.md beside this file holds tables of what comes out, and says which bars are not met. They are made with
//
//	go test ./piecepicker/swarmsim -run TestTable -timeout 120m -update
//
// and the figures of a single scenario with go test -bench NAME. The transcripts in testdata show every decision of the picker
// in small swarms, with its reason; -update rewrites them as well, and what changes is a change of behaviour.
//
// # Limitations
//
// There are no blocks, round trips, lost packets, hash failures or encryption, and no limiter but the server's line and its
// total rate. The server lets go of nobody to make room: where liars take all its connections, the picker cannot help. A HAVE
// arrives at once. Lines do not vary. The audit asks nothing of the peer's line. Neighbours are drawn evenly, with no regard
// to distance; there is no peer exchange.
package swarmsim
