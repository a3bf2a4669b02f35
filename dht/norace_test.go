//go:build !race

package dht_test

const raceDetector = false
