// Package budget decides when bytes may leave: a tree of rate limits, and the
// units in which a person writes them.
//
// Its nouns: a [Node] is one limit, usually of the server, of a torrent below
// it, or of a class of traffic below that. A [Rate] is bytes per second, a
// [Bytes] an amount; both read and write human units such as "2MB/s" and
// "1.5MiB".
//
// [Node.Wait] asks for bytes at a node and returns when the node and all nodes
// above it have let them pass. Each node is a token bucket
// (golang.org/x/time/rate) that holds a twentieth of a second of its rate, with
// a queue in front of it. The queue is fair between the children of a node: at
// a server's limit, a torrent with one peer gets as many bytes as a torrent with
// a hundred. What matters more can weigh more ([Node.SetWeight]). Within one
// child, first come is first served. A node without a limit has no queue and
// costs one atomic load.
//
// An [Account] is a budget of bytes per month that several kinds of traffic, its
// [Lane]s, are paid from. Its [Pacer] decides how fast each may send: it spreads
// what is left over the rest of the month, keeps a reserve, and never stops
// blocks for good. What may be sent is written down before it is, so that a
// server that crashes again and again spends no more than one that does not.
//
// # Limitations
//
// Rates and budgets count the bytes callers ask for;
// headers of TCP and IP, and of HTTP, are not in them.
package budget
