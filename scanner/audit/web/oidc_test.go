package web

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/audit"
)

// identity is an OpenID Connect provider on loopback that confirms whoever it is told to.
type identity struct {
	*httptest.Server
	key    *rsa.PrivateKey
	signer *rsa.PrivateKey // another one where the signature is to be wrong

	mu     sync.Mutex
	claims map[string]any // beside or instead of the usual ones
	nonce  string         // of the last login
	proof  string         // the challenge of the last login
}

const clientSecret = "client-secret-4711"

func newIdentity(t *testing.T) *identity {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &identity{key: key, signer: key}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": enc(key.N.Bytes()), "e": enc(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		p.mu.Lock()
		p.nonce, p.proof = q.Get("nonce"), q.Get("code_challenge")
		p.mu.Unlock()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {"the-code"}, "state": {q.Get("state")}}.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		_, secret, basic := r.BasicAuth()
		if !basic {
			secret = r.PostFormValue("client_secret")
		}
		if r.PostFormValue("code") != "the-code" || enc(sum[:]) != p.proof || secret != clientSecret {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": p.token(t)})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func enc(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token signs the identity.
func (p *identity) token(t *testing.T) string {
	claims := map[string]any{"iss": p.URL, "aud": "postscan", "sub": "u-1", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "nonce": p.nonce, "email": "anna@example.org", "email_verified": true}
	for k, v := range p.claims {
		claims[k] = v
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Error(err)
	}
	text := enc([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + enc(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, p.signer, crypto.SHA256, sum[:])
	if err != nil {
		t.Error(err)
	}
	return text + "." + enc(sig)
}

func TestLoginThroughAProvider(t *testing.T) {
	p := newIdentity(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// The address of the server is in the provider's options and the other way round.
	var handler http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	_, store := testServer(t, nil)
	provider, err := NewProvider(t.Context(), ProviderOptions{
		Issuer: p.URL, ClientID: "postscan", ClientSecret: clientSecret, RedirectURL: front.URL + "/login/callback", Client: p.Client(),
		Operators: []string{"anna@example.org", "group:ops"}, Viewers: []string{"@example.org"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if handler, err = New(t.Context(), Options{Store: store, Provider: provider}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		claims map[string]any
		signer *rsa.PrivateKey
		login  int // the code after the login
		run    int // the code of an attempt to start a run
	}{
		"operator":                {login: 200, run: 202},
		"operator, written big":   {claims: map[string]any{"email": "Anna@Example.org"}, login: 200, run: 202},
		"operator by group":       {claims: map[string]any{"email": "x@elsewhere.org", "groups": []string{"ops"}}, login: 200, run: 202},
		"viewer by domain":        {claims: map[string]any{"email": "ben@example.org"}, login: 200, run: 403},
		"a domain that only ends": {claims: map[string]any{"email": "ben@evil-example.org"}, login: 403, run: 401},
		"nobody":                  {claims: map[string]any{"email": "x@elsewhere.org"}, login: 403, run: 401},
		"an unverified address":   {claims: map[string]any{"email_verified": false}, login: 403, run: 401},
		"no word of verification": {claims: map[string]any{"email_verified": nil}, login: 403, run: 401},
		"another nonce":           {claims: map[string]any{"nonce": "another"}, login: 401, run: 401},
		"for somebody else":       {claims: map[string]any{"aud": "another"}, login: 401, run: 401},
		"of another issuer":       {claims: map[string]any{"iss": "https://example.org"}, login: 401, run: 401},
		"expired":                 {claims: map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, login: 401, run: 401},
		"signed by another":       {signer: other, login: 401, run: 401},
	} {
		t.Run(name, func(t *testing.T) {
			p.mu.Lock()
			p.claims, p.signer = c.claims, p.key
			if c.signer != nil {
				p.signer = c.signer
			}
			p.mu.Unlock()
			jar, _ := cookiejar.New(nil) // never fails
			browser := &http.Client{Jar: jar}
			code, body := get(t, browser, front.URL+"/login/provider")
			if code != c.login || c.login == 200 && !strings.Contains(body, "Overview") {
				t.Errorf("login: %d, want %d: %.300s", code, c.login, body)
			}
			if strings.Contains(body, clientSecret) {
				t.Error("the page holds the client's secret")
			}
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL+"/api/v1/audits/web/runs", nil) // the address is well-formed
			if code, _ := do(t, browser, req); code != c.run {
				t.Errorf("start a run: %d, want %d", code, c.run)
			}
		})
	}
	p.mu.Lock()
	p.claims, p.signer = nil, p.key
	p.mu.Unlock()

	t.Run("a login that was not begun here", func(t *testing.T) {
		jar, _ := cookiejar.New(nil) // never fails
		if code, _ := get(t, &http.Client{Jar: jar}, front.URL+"/login/callback?code=the-code&state="); code != http.StatusBadRequest {
			t.Errorf("%d", code)
		}
		stop := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		if code, _ := get(t, stop, front.URL+"/login/provider"); code != http.StatusSeeOther {
			t.Fatalf("%d", code)
		}
		if code, _ := get(t, stop, front.URL+"/login/callback?code=the-code&state=another"); code != http.StatusBadRequest {
			t.Errorf("another state: %d", code)
		}
	})
	t.Run("roles of the session", func(t *testing.T) {
		if (&user{Role: audit.Viewer}).CanRun() || (&user{Role: audit.Uploader}).may(audit.Viewer) {
			t.Error("a viewer may run, or an uploader look")
		}
	})
}
