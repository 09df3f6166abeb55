//go:build !faults

package faults

// long is false in plain go test: a few cases of each campaign.
const long = false
