package ghapp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Governors gives every credential of a process its one governor. GitHub counts
// per installation and per user, not per owner that is looked after: two owners
// reached with the same token share its quota and must share its governor.
//
// Two tokens of one user also share GitHub's limits, which cannot be told from
// the tokens; give owners of one user the same token. It is safe for concurrent use.
type Governors struct {
	opts GovernorOptions
	salt []byte // of this process: fingerprints mean nothing outside it

	mu    sync.Mutex
	known map[identity]*Governor
}

// identity is one credential at one API. It holds no secret.
type identity struct {
	api          string
	app          int64
	installation int64
	owner        string // in lower case, where the installation is not known yet
	fingerprint  [sha256.Size]byte
}

// NewGovernors checks the options, which all its governors have.
func NewGovernors(opts GovernorOptions) (*Governors, error) {
	if _, err := opts.normalized(); err != nil {
		return nil, err
	}
	salt := make([]byte, sha256.Size)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("governors: read random bytes: %w", err)
	}
	return &Governors{opts: opts, salt: salt, known: map[identity]*Governor{}}, nil
}

// ForApp returns the governor of an App's installation. Without an
// installation id it goes by the owner, who has one installation at most.
// baseURL is that of Connection; a bad one is an error.
func (gs *Governors) ForApp(baseURL string, appID, installationID int64, owner retention.Owner) (*Governor, error) {
	id := identity{app: appID, installation: installationID}
	if installationID == 0 {
		id.owner = strings.ToLower(owner.Login)
	}
	return gs.find(baseURL, id)
}

// ForToken returns the governor of a token, whichever owner it is used for. The
// token itself is not kept, only a keyed hash of it.
func (gs *Governors) ForToken(baseURL string, token Token) (*Governor, error) {
	mac := hmac.New(sha256.New, gs.salt)
	mac.Write([]byte(token.Reveal()))
	return gs.find(baseURL, identity{fingerprint: [sha256.Size]byte(mac.Sum(nil))})
}

func (gs *Governors) find(baseURL string, id identity) (*Governor, error) {
	o, err := parseOrigin(baseURL)
	if err != nil {
		return nil, err
	}
	id.api = o.place + o.path
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if g, ok := gs.known[id]; ok {
		return g, nil
	}
	g, err := NewGovernor(gs.opts)
	if err != nil {
		return nil, err
	}
	gs.known[id] = g
	return g, nil
}

// Len returns how many credentials have a governor.
func (gs *Governors) Len() int {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	return len(gs.known)
}
