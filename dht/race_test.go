//go:build race

package dht_test

const raceDetector = true // simulations are smaller: everything takes ten times as long
