package ghapp

// lanes is how many requests may be in flight: halved by a secondary limit, one
// more again after each recoverAfter requests that went well.
type lanes struct {
	open, most   int
	recoverAfter int
	wentWell     int
}

func (l *lanes) halve() {
	l.open = max(1, l.open/2)
	l.wentWell = 0
}

func (l *lanes) success() {
	if l.open >= l.most {
		return
	}
	if l.wentWell++; l.wentWell >= l.recoverAfter {
		l.open++
		l.wentWell = 0
	}
}
