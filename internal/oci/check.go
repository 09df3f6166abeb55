package oci

import (
	"context"
	"errors"
	"fmt"
)

// Check asks the registry itself, whatever the cache holds, whether it lets the
// credential read the package: a token, and one manifest. It keeps nothing. The
// one manifest counts as a download on ghcr.io.
func (r *Reader) Check(ctx context.Context, owner, name, digest string) error {
	calls := &counters{}
	p := repository{r: r, owner: owner, name: repositoryOf(owner, name), calls: calls}
	_, _, err := p.manifest(ctx, digest)
	r.total.add(calls.calls())
	if errors.Is(err, errNotFound) {
		err = fmt.Errorf("%w; run it again later, and check that the credential can read the package", err)
	}
	if err != nil {
		return fmt.Errorf("manifest %s: %w", digest, err)
	}
	return nil
}
