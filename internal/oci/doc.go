// Package oci reads the manifests of one container package by digest and turns
// them into the nodes of its reference graph.
//
// It asks the registry once for every manifest that no fetched index
// describes, and never again for a digest that the cache holds: a manifest is
// immutable by digest, and on ghcr.io each manifest read counts as a download.
// What it cannot read with certainty it reports as unread, which makes the
// package incomplete. It never writes to the registry, never caches a fact
// that content addressing does not make permanent, and never decides anything.
//
// The transport is the package's own rather than go-containerregistry's, whose
// transport pings and exchanges tokens once per connection: here the challenge
// is asked for once per registry and a token once per repository, which is
// what makes the number of calls exact. Digests and media types are
// go-containerregistry's.
//
// What the graph does not say, because saying it would cost a call:
//   - a child that an index describes is not fetched, so that its SizeBytes is
//     that of its manifest alone, and its own subject field is not known. The
//     index holds it while the index is there; once no index lists the child
//     any more, it is fetched.
//   - Platform comes from the descriptor in an index; a single image names its
//     platform only in its configuration, which is not read.
//   - the image that a BuildKit attestation is about (an annotation in the
//     index) is not its Subject: index and attestation go together, and an
//     image shared with another index would keep a foreign attestation.
package oci
