package web

import (
	"math"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// WCAG 2.2, success criterion 1.4.3: "The visual presentation of text and images
// of text has a contrast ratio of at least 4.5:1".
func TestContrast(t *testing.T) {
	w := httptest.NewRecorder()
	require.True(t, static.Serve(w, httptest.NewRequest("GET", "/", nil), static.Hash()+"/style.css", "public"))
	css := w.Body.Bytes()
	variable := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{3,6});`)
	schemes := regexp.MustCompile(`:root \{[^}]*\}`).FindAllString(string(css), -1)
	require.Len(t, schemes, 2, "light and dark")
	for i, scheme := range []string{"light", "dark"} {
		color := map[string]string{}
		for _, v := range variable.FindAllStringSubmatch(schemes[i], -1) {
			color[v[1]] = v[2]
		}
		check := func(front, back string, least float64) {
			t.Helper()
			require.Contains(t, color, front)
			require.Contains(t, color, back)
			require.GreaterOrEqual(t, contrast(t, color[front], color[back]), least, "%s on %s, %s", front, back, scheme)
		}
		for _, front := range []string{"text", "soft", "link", "wait"} {
			for _, back := range []string{"page", "card", "hover"} {
				check(front, back, 4.5)
			}
		}
		check("on-main", "main", 4.5)
		check("link", "line", 4.5) // a button in a row under the pointer
		// Criterion 1.4.11: what is needed to see a field has 3:1.
		for _, front := range []string{"edge", "main"} {
			check(front, "page", 3)
			check(front, "card", 3)
		}
	}
	for _, c := range regexp.MustCompile(`(?m)[^-]color: ([^;]+);`).FindAllStringSubmatch(string(css), -1) {
		require.Regexp(t, `^(var\(--(text|soft|link|wait|on-main)\)|inherit)$`, c[1], "text has the colours that are checked here")
	}
}

// contrast returns the contrast ratio of two colours as WCAG 2.2 defines it.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

// luminance returns the relative luminance of "#rgb" or "#rrggbb".
func luminance(t *testing.T, color string) float64 {
	digits := strings.TrimPrefix(color, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	require.Len(t, digits, 6)
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		v := float64(n) / 255
		if v <= .04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func TestContrastIsKnown(t *testing.T) {
	require.InDelta(t, 21, contrast(t, "#000", "#ffffff"), 1e-9)
	require.InDelta(t, 4.54, contrast(t, "#767676", "#fff"), .01)
}
