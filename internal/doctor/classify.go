package doctor

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/policy"
)

// MaxSkew is how far this machine's clock may be off before App tokens fail: a
// JWT may not be issued in GitHub's future, and lives for minutes.
const MaxSkew = 30 * time.Second

// Classify says which condition an error is; Other when it is none that is known.
func Classify(err error) Code {
	if _, ok := errors.AsType[*ghapp.PausedError](err); ok {
		return RateLimited
	}
	if _, ok := errors.AsType[*ghapp.ForeignOwnerError](err); ok {
		return InstallationForeign
	}
	if e, ok := errors.AsType[*ghapp.AuthError](err); ok {
		return ofAuth(e)
	}
	if e, ok := errors.AsType[*packages.Error](err); ok {
		return ofCall(e)
	}
	if _, ok := errors.AsType[config.Errors](err); ok {
		return ConfigInvalid
	}
	return Other
}

// ofAuth tells an App's refusals from a token's: only the App's have an id.
func ofAuth(e *ghapp.AuthError) Code {
	switch {
	case e.Status == 0:
		return APIUnreachable
	case e.Status >= http.StatusInternalServerError:
		return APIFailing
	case e.AppID == 0 && e.Status == http.StatusUnauthorized:
		return TokenRefused
	case e.AppID == 0:
		return PackagesForbidden
	case e.Status == http.StatusUnauthorized:
		return ofSignature(e)
	case e.Status == http.StatusNotFound && strings.Contains(strings.ToLower(e.Message), "integration"):
		return AppUnknown
	case e.Status == http.StatusNotFound:
		return InstallationMissing
	case e.Status == http.StatusForbidden:
		return InstallationPaused
	case e.Status == http.StatusUnprocessableEntity:
		return PermissionMissing
	}
	return Other
}

// ofSignature tells a clock from a key: GitHub's 401 names the claim that it
// dislikes, and its Date says which way the clock is off.
func ofSignature(e *ghapp.AuthError) Code {
	claim := strings.Contains(e.Message, "'iat'") || strings.Contains(e.Message, "'exp'")
	switch {
	case e.Skew < -MaxSkew && (claim || e.Message == ""):
		return ClockAhead
	case e.Skew > MaxSkew && (claim || e.Message == ""):
		return ClockBehind
	}
	return AppKeyForeign
}

func ofCall(e *packages.Error) Code {
	switch e.Outcome {
	case packages.RateLimited:
		return RateLimited
	case packages.Unauthorized:
		return TokenRefused
	case packages.Forbidden:
		return PackagesForbidden
	case packages.NotFound:
		return OwnerUnknown
	case packages.Refused:
		return OwnerMismatch
	case packages.Transient:
		if e.Status == 0 {
			return APIUnreachable
		}
		return APIFailing
	}
	return Other
}

// OfConfig says which condition an error of loading the configuration is.
func OfConfig(err error) Code {
	if errors.Is(err, fs.ErrNotExist) {
		return ConfigMissing
	}
	return ConfigInvalid
}

// OfPolicies says which condition an error of loading the policies is.
func OfPolicies(err error) Code {
	switch {
	case errors.Is(err, bundles.ErrStale):
		return BundleStale
	case errors.Is(err, policy.ErrUnverified):
		return BundleUnverified
	case errors.Is(err, policy.ErrBundleArchive):
		return BundleRefused
	case errors.Is(err, bundles.ErrUnavailable):
		return BundleUnreachable
	}
	return PolicyInvalid
}

// OfState says which condition an error of opening the state file is.
func OfState(err error) Code {
	if strings.Contains(err.Error(), "update shelflife") {
		return StateNewer
	}
	return StateUnusable
}
