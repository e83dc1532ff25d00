package audit

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/postscan/postscan/scanner/audit/postgrestest"
)

// The tests of the history run on SQLite and on a real PostgreSQL, which the first
// of them starts.

var (
	postgresOnce   sync.Once
	postgresServer *postgrestest.Server
	errPostgres    error
)

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := child(name); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if postgresServer != nil {
		postgresServer.Stop()
	}
	os.Exit(code)
}

// newPostgres returns a new, empty database of the server that the tests share.
func newPostgres(t testing.TB) string {
	t.Helper()
	postgrestest.Need(t)
	postgresOnce.Do(func() { postgresServer, errPostgres = postgrestest.Start(t.Context()) })
	if errPostgres != nil {
		t.Fatal(errPostgres)
	}
	return postgresServer.Database(t)
}

// ask sends one statement to the database.
func ask(dsn, statement string) error { return postgrestest.Ask(context.Background(), dsn, statement) }
