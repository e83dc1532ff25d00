package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"github.com/postscan/postscan/scanner/audit"
)

// user is who asks.
type user struct {
	Name  string     `json:"name"`
	Role  audit.Role `json:"role"`
	Audit string     `json:"-"` // of an uploader
}

// may says whether the user may do what the role may.
func (u *user) may(role audit.Role) bool {
	switch {
	case u == nil:
		return false
	case role == audit.Viewer:
		return u.Role == audit.Viewer || u.Role == audit.Operator
	default:
		return u.Role == role
	}
}

// CanRun is for templates.
func (u *user) CanRun() bool { return u.may(audit.Operator) }

type userKey struct{}

// user is who sent the request: known after need.
func (s *server) user(r *http.Request) *user {
	u, _ := r.Context().Value(userKey{}).(*user) // nil before
	return u
}

// need lets in who may do what the role may; everybody else is asked to log in.
func (s *server) need(role audit.Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := s.identify(r)
		switch {
		case err != nil && !errors.Is(err, audit.ErrToken):
			s.problem(w, r, err)
		case u.may(role):
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, u)))
		case u != nil:
			s.fail(w, r, http.StatusForbidden, fmt.Sprintf("this needs the role %s, and yours is %s", role, u.Role))
		case wantsJSON(r) || r.URL.Path == "/metrics":
			w.Header().Set("WWW-Authenticate", `Bearer realm="postscan"`)
			s.fail(w, r, http.StatusUnauthorized, "send a token: Authorization: Bearer postscan_…")
		default:
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		}
	})
}

// identify finds out who asks: by a token, or by a session. nil is nobody.
func (s *server) identify(r *http.Request) (*user, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		secret, ok := strings.CutPrefix(header, "Bearer ")
		if !ok {
			return nil, audit.ErrToken
		}
		return s.byToken(s.Store.Authenticate(r.Context(), secret))
	}
	if s.Open {
		return &user{Name: "local", Role: audit.Operator}, nil
	}
	c, ok := s.sessions.read(r)
	switch {
	case !ok:
		return nil, nil
	case c.Token != "":
		return s.byToken(s.Store.ValidToken(r.Context(), c.Token))
	default:
		return &user{Name: c.Name, Role: c.Role}, nil
	}
}

func (s *server) byToken(t audit.Token, err error) (*user, error) {
	if err != nil {
		return nil, err
	}
	return &user{Name: t.Name, Role: t.Role, Audit: t.Audit}, nil
}

// sessions are cookies that the server signs.
type sessions struct {
	key    []byte
	secure bool
	now    func() time.Time
}

// claims are what a session says. One that came of a token ends with it.
type claims struct {
	Token   string     `json:"token,omitempty"` // its id
	Name    string     `json:"name,omitempty"`
	Role    audit.Role `json:"role,omitempty"`
	State   string     `json:"state,omitempty"` // of a login under way
	Nonce   string     `json:"nonce,omitempty"`
	Proof   string     `json:"proof,omitempty"` // of PKCE
	Expires int64      `json:"expires"`
}

const (
	sessionCookie = "postscan_session"
	loginCookie   = "postscan_login"
	sessionLife   = 12 * time.Hour
	loginLife     = 10 * time.Minute
)

// cookie is the full name of a cookie. Over HTTPS it is one that browsers take from
// this very host alone: a neighbour under the same domain cannot put a session of his
// own under somebody's hands.
func (s *sessions) cookie(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

func (s *sessions) sign(text string) string {
	m := hmac.New(sha256.New, s.key)
	_, _ = m.Write([]byte(text)) // never fails
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (s *sessions) set(w http.ResponseWriter, name string, c claims, life time.Duration) error {
	c.Expires = s.now().Add(life).Unix()
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	http.SetCookie(w, &http.Cookie{Name: s.cookie(name), Value: text + "." + s.sign(name+"."+text), Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}) //nolint:gosec // Secure wherever HTTPS is spoken
	return nil
}

func (s *sessions) drop(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: s.cookie(name), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}) //nolint:gosec // Secure wherever HTTPS is spoken
}

func (s *sessions) read(r *http.Request) (claims, bool) { return s.readNamed(r, sessionCookie) }

func (s *sessions) readNamed(r *http.Request, name string) (c claims, ok bool) {
	cookie, err := r.Cookie(s.cookie(name))
	if err != nil {
		return c, false
	}
	text, mac, _ := strings.Cut(cookie.Value, ".")
	if !hmac.Equal([]byte(mac), []byte(s.sign(name+"."+text))) {
		return c, false
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &c) != nil {
		return c, false
	}
	return c, s.now().Unix() < c.Expires
}

func (s *server) loginPage(w http.ResponseWriter, r *http.Request) {
	s.pages.write(w, s.Log, http.StatusOK, "login", view{Title: "Log in", Version: s.Version, Data: s.Provider != nil})
}

// login opens a session for a token.
func (s *server) login(w http.ResponseWriter, r *http.Request) {
	if !s.limits.allow(s.limits.login, s.client(r), rate.Every(loginEvery), loginBurst) {
		w.Header().Set("Retry-After", "5")
		s.fail(w, r, http.StatusTooManyRequests, "too many attempts to log in; try again later")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	t, err := s.Store.Authenticate(r.Context(), strings.TrimSpace(r.PostFormValue("token")))
	switch {
	case errors.Is(err, audit.ErrToken) || err == nil && t.Role == audit.Uploader:
		s.fail(w, r, http.StatusUnauthorized, "this token opens nothing here; an operator makes one with postscan audit token create")
	case err != nil:
		s.problem(w, r, err)
	default:
		if err := s.sessions.set(w, sessionCookie, claims{Token: t.ID}, sessionLife); err != nil {
			s.problem(w, r, err)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

func (s *server) logout(w http.ResponseWriter, r *http.Request) {
	s.sessions.drop(w, sessionCookie)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// Provider logs people in through OpenID Connect.
type Provider struct {
	verifier  *oidc.IDTokenVerifier
	oauth     oauth2.Config
	client    *http.Client
	operators []string
	viewers   []string
}

// ProviderOptions describe an OpenID Connect provider.
type ProviderOptions struct {
	Issuer, ClientID, ClientSecret string
	RedirectURL                    string // https://HOST/login/callback
	// Operators and Viewers are e-mail addresses (which the provider must have
	// verified), @domains, or group:NAME. Who is in neither is not let in.
	Operators, Viewers []string
	Client             *http.Client
}

// NewProvider asks the issuer how it is spoken to.
func NewProvider(ctx context.Context, o ProviderOptions) (*Provider, error) {
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, o.Client), o.Issuer)
	if err != nil {
		return nil, fmt.Errorf("ask the OpenID Connect issuer %s: %w", o.Issuer, err)
	}
	return &Provider{
		verifier: p.Verifier(&oidc.Config{ClientID: o.ClientID}),
		oauth:    oauth2.Config{ClientID: o.ClientID, ClientSecret: o.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: o.RedirectURL, Scopes: []string{oidc.ScopeOpenID, "email", "groups"}},
		client:   o.Client, operators: o.Operators, viewers: o.Viewers,
	}, nil
}

func random() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func (s *server) toProvider(w http.ResponseWriter, r *http.Request) {
	c := claims{State: random(), Nonce: random(), Proof: oauth2.GenerateVerifier()}
	if err := s.sessions.set(w, loginCookie, c, loginLife); err != nil {
		s.problem(w, r, err)
		return
	}
	http.Redirect(w, r, s.Provider.oauth.AuthCodeURL(c.State, oidc.Nonce(c.Nonce), oauth2.S256ChallengeOption(c.Proof)), http.StatusSeeOther)
}

func (s *server) fromProvider(w http.ResponseWriter, r *http.Request) {
	c, ok := s.sessions.readNamed(r, loginCookie)
	s.sessions.drop(w, loginCookie)
	if !ok || c.State == "" || !hmac.Equal([]byte(c.State), []byte(r.URL.Query().Get("state"))) {
		s.fail(w, r, http.StatusBadRequest, "this login was not begun here, or took too long; begin again")
		return
	}
	name, role, err := s.Provider.exchange(r.Context(), r.URL.Query().Get("code"), c)
	switch {
	case err != nil:
		s.Log.Warn("a login through the provider failed", "error", err.Error())
		s.fail(w, r, http.StatusUnauthorized, "the provider did not confirm the login")
	case role == "":
		s.fail(w, r, http.StatusForbidden, name+" is neither among the operators nor among the viewers")
	default:
		if err := s.sessions.set(w, sessionCookie, claims{Name: name, Role: role}, sessionLife); err != nil {
			s.problem(w, r, err)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// exchange turns the provider's code into a name and a role; no role is nobody.
func (p *Provider) exchange(ctx context.Context, code string, c claims) (string, audit.Role, error) {
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(c.Proof))
	if err != nil {
		return "", "", errors.New("the provider refused the code") // the cause may hold the secret
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return "", "", errors.New("the provider sent no identity")
	}
	id, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return "", "", fmt.Errorf("the identity that the provider sent is not valid: %w", err)
	}
	if id.Nonce != c.Nonce {
		return "", "", errors.New("the identity is of another login")
	}
	var who struct {
		Email    string   `json:"email"`
		Verified bool     `json:"email_verified"`
		Groups   []string `json:"groups"`
	}
	if err := id.Claims(&who); err != nil {
		return "", "", fmt.Errorf("read the identity: %w", err)
	}
	name := id.Subject
	if who.Verified && who.Email != "" {
		name = who.Email
	}
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(e string) bool {
			group, isGroup := strings.CutPrefix(e, "group:")
			switch {
			case isGroup:
				return slices.Contains(who.Groups, group)
			case !who.Verified || who.Email == "":
				return false
			case strings.HasPrefix(e, "@"):
				return strings.HasSuffix(strings.ToLower(who.Email), strings.ToLower(e))
			default:
				return strings.EqualFold(e, who.Email)
			}
		})
	}
	switch {
	case in(p.operators):
		return name, audit.Operator, nil
	case in(p.viewers):
		return name, audit.Viewer, nil
	}
	return name, "", nil
}
