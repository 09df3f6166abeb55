package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultRegistry is GitHub's container registry.
const DefaultRegistry = "https://ghcr.io"

// defaultParallel is how many manifests are read at once: 300 images and 100
// untagged manifests at 50 ms each are then read within seven times that. The client that is handed in may bound it
// further, and should keep as many idle connections.
const defaultParallel = 64

// Limits bound what one package can make the reader hold in memory. What lies
// beyond a limit is unread. A zero field means its default.
type Limits struct {
	ManifestBytes int64 // size of one manifest; 4 MiB
	Children      int   // children that one index lists; 1,000
	Layers        int   // layers that one manifest names; 10,000
	Depth         int   // indexes below indexes; 8
	Nodes         int   // active versions of one package; 100,000
	Edges         int   // children of all indexes of one package; 400,000
}

func (l Limits) withDefaults() Limits {
	set := func(n *int, def int) {
		if *n == 0 {
			*n = def
		}
	}
	if l.ManifestBytes == 0 {
		l.ManifestBytes = 4 << 20
	}
	set(&l.Children, 1_000)
	set(&l.Layers, 10_000)
	set(&l.Depth, 8)
	set(&l.Nodes, 100_000)
	set(&l.Edges, 400_000)
	return l
}

// Credential returns the GitHub token that reads the owner's packages. The
// empty string reads anonymously.
type Credential func(ctx context.Context, owner string) (string, error)

// Options is what a Reader works with.
type Options struct {
	Client     *http.Client     // required: governor, timeouts and proxies are its business
	Registry   string           // base URL; "" means DefaultRegistry
	Credential Credential       // nil reads anonymously
	Cache      Cache            // nil keeps nothing between two readings
	Now        func() time.Time // required: decides when a registry token is renewed
	Parallel   int              // manifests read at once; 0 means 64
	Limits     Limits

	// IsPause tells errors that mean "stop now and go on later" (a rate limit)
	// from failures of one request. Graph returns them instead of reporting
	// the manifest as unread. Nil means that there are none.
	IsPause func(error) bool
}

// Reader reads reference graphs. It is safe for concurrent use and keeps its
// registry tokens between readings.
type Reader struct {
	client   *http.Client
	base     *url.URL
	tokens   *tokenSource
	cache    Cache
	parallel int
	limits   Limits
	isPause  func(error) bool
	total    counters
}

// New returns a Reader. It makes no call.
func New(o Options) (*Reader, error) {
	if o.Client == nil || o.Now == nil {
		return nil, errors.New("registry reader: an HTTP client and a clock are required")
	}
	if o.Registry == "" {
		o.Registry = DefaultRegistry
	}
	base, err := url.Parse(strings.TrimSuffix(o.Registry, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, fmt.Errorf("registry reader: %q is not an http(s) URL; set it to one like %s", o.Registry, DefaultRegistry)
	}
	if o.Credential == nil {
		o.Credential = func(context.Context, string) (string, error) { return "", nil }
	}
	if o.Cache == nil {
		o.Cache = noCache{}
	}
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if o.IsPause == nil {
		o.IsPause = func(error) bool { return false }
	}
	return &Reader{
		client:   o.Client,
		base:     base,
		tokens:   newTokenSource(o.Client, base, o.Credential, o.Now),
		cache:    o.Cache,
		parallel: o.Parallel,
		limits:   o.Limits.withDefaults(),
		isPause:  o.IsPause,
	}, nil
}
