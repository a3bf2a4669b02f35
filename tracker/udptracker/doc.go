// Package udptracker encodes and decodes the packets of UDP trackers.
package udptracker
