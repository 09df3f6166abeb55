//go:build faults

package faults

// long is true with the build tag faults: all cases of each campaign.
const long = true
