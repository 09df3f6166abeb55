package githubsim

import (
	"errors"
	"io"
	"net/http"
	"strings"
)

func isControl(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/_sim/") }

// control answers below /_sim: GET state, calls, deliveries; POST publish (a
// Publication), faults ({"faults": […]}, replacing all), reset-calls. It needs
// no credential, suffers no faults and logs no call.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	var a answer
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/_sim/") {
	case "GET state":
		a = jsonAnswer(http.StatusOK, s.State())
	case "GET calls":
		a = jsonAnswer(http.StatusOK, s.Calls())
	case "GET deliveries":
		a = jsonAnswer(http.StatusOK, s.Deliveries())
	case "POST reset-calls":
		s.ResetCalls()
		a = noContent()
	case "POST faults":
		a = s.controlFaults(r)
	case "POST publish":
		a = s.controlPublish(r)
	default:
		a = controlError(http.StatusNotFound, errors.New("the simulator has GET state, calls, deliveries and POST publish, faults, reset-calls below /_sim/"))
	}
	for k, vs := range a.header {
		w.Header()[k] = vs
	}
	w.WriteHeader(a.status)
	writeBody(w, a.body)
}

func (s *Server) controlFaults(r *http.Request) answer {
	var body struct {
		Faults []Fault `json:"faults"`
	}
	err := readControl(r, &body)
	if err == nil {
		err = s.SetFaults(body.Faults)
	}
	if err != nil {
		return controlError(http.StatusBadRequest, err)
	}
	return noContent()
}

func (s *Server) controlPublish(r *http.Request) answer {
	var pub Publication
	if err := readControl(r, &pub); err != nil {
		return controlError(http.StatusBadRequest, err)
	}
	out, err := s.Publish(r.Context(), pub)
	if err != nil {
		return controlError(http.StatusBadRequest, err)
	}
	return jsonAnswer(http.StatusCreated, out)
}

func readControl(r *http.Request, into any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBodyBytes))
	if err != nil {
		return err
	}
	return decodeStrict(raw, into)
}

func controlError(status int, err error) answer {
	return jsonAnswer(status, map[string]string{"error": err.Error()})
}
