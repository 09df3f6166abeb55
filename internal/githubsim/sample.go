package githubsim

import (
	"bytes"
	_ "embed"
)

//go:embed sample.json
var sampleJSON []byte

//go:embed user.json
var userJSON []byte

// SampleSeed is the organization acme that the demo shows: seven packages of
// five types with ages relative to the clock, a handful of versions that plain
// policies expire, and one (web, release-1.4) that somebody deleted by hand.
func SampleSeed() Seed { return embedded(sampleJSON) }

// UserSeed is the user mona with two small packages.
func UserSeed() Seed { return embedded(userJSON) }

// embedded reads a seed that is part of the program; a test reads them all, so
// a failure cannot reach a user.
func embedded(raw []byte) Seed {
	seed, err := ReadSeed(bytes.NewReader(raw))
	if err != nil {
		panic("embedded seed: " + err.Error())
	}
	return seed
}
