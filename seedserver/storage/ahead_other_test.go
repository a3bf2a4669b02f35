//go:build !linux

package storage_test

import "testing"

// forget does nothing: the system cannot be asked to.
func (d *dir) forget(testing.TB, string) {}
