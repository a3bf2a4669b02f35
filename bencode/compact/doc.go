// Package compact reads and writes compact peers and nodes, the fixed-size
// contacts of tracker answers, peer exchange and the DHT.
//
// A contact is an address and a port in network byte order; a node is a contact
// with the node's id in front (BEP 5, 7, 23 and 32):
//
//	IPv4 peer    4 address    2 port                6 bytes
//	IPv6 peer   16 address    2 port               18 bytes
//	IPv4 node   20 id         4 address   2 port   26 bytes
//	IPv6 node   20 id        16 address   2 port   38 bytes
//
// Lists are contacts in a row, of one family each: "peers" and "nodes" hold
// IPv4, "peers6" and "nodes6" hold IPv6.
//
// # Limitations
//
// Contacts with port 0 are left out of lists, as nothing can be reached there.
// Whether an address is one to talk to (public, our own, multicast) is for the
// caller to judge. An IPv4 address mapped into an IPv6 list comes out as the
// IPv4 address it is. Zones have no place in the form and are dropped.
//
// All functions may be called concurrently. None keeps or changes its input.
package compact
