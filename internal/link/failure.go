package link

// failure is an error, under what was tried on what.
type failure struct {
	tried string
	err   error
}

func (f *failure) Error() string { return f.tried + ": " + f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// wrap says what was tried on what, if it failed.
//
//go:noinline
func wrap(err error, tried string) error {
	if err == nil {
		return nil
	}
	return &failure{tried, err}
}
