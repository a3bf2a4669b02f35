// Package admin answers the admin listener: what is being sent now, to whom and why, and what was sent, as pages, as JSON, and
// as metrics.
//
// Its nouns: a [Source] knows the server, a [Status] is the server at one moment, a [Detail] one of its torrents, [Sums] and
// [Account] what was sent. A [Handler] shows them. It never changes anything: other methods than GET and HEAD get 405.
//
// # What a request gets
//
//	/                         the status page; ?sort= and ?order=, ?q= filters by name, ?page=
//	/torrent/INFOHASH         a torrent: numbers, why it is served as it is, pieces, peers
//	/ledger                   what was sent in a month, per day and per file; ?month=2006-01
//	/ledger.csv               the same, a row for each day, file and class; ?month=, or ?from=2006-01-02&to=2006-01-02
//	/api/v1/status            Status with the sums of each torrent
//	/api/v1/torrents/INFOHASH Detail with its sums and its last hour
//	/api/v1/history           the bytes per second of the last hour
//	/api/v1/ledger            the accounts of the period that /ledger.csv takes, and the sums of each file
//	/metrics                  for Prometheus; ?per=torrent adds two series for each torrent
//	/healthz, /readyz         200 when the process answers; when the directory has been looked at once
//	/events, /torrent/INFOHASH/events  what changed on these pages, once a second (server-sent events)
//	/debug/pprof/             the runtime's profiles, with Config.Profiles
//
// Pages are complete without scripts and ask for themselves again every few seconds then. With scripts, they take the changed
// parts from their events. [Handler.Run] makes one snapshot a second, and renders what changed once, for all who listen; while
// nobody does, it only takes the counters every ten seconds, for the last hour's charts.
//
// # Who may ask
//
// The Handler answers for loopback names, for the address of the connection, and for Config.Hosts, and refuses other hosts: a
// page of a stranger that makes its own name point to this machine (DNS rebinding) gets nothing. Nor does a page that embeds or
// fetches ours from elsewhere. With Config.Auth, a user and a password are asked for, except by /healthz and /readyz; passwords
// are tried five times in a row, then once in ten seconds per address. They are as secret as the connection: put TLS in front of
// what leaves the machine.
//
// # Limitations
//
// There is one user. The last hour is forgotten when the process ends. At most 100 rows are on a page, and 200 peers. Days are
// days in UTC.
package admin
