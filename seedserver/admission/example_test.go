package admission_test

import (
	"fmt"
	"time"

	"github.com/seedserver/bittorrent/seedserver/admission"
)

// A tracker that is to answer 1,000 announces a second gets three million peers.
func ExamplePace() {
	pace := admission.NewPace(30*time.Minute, 1000)
	life := pace.Follow(time.Now(), 3_000_000)
	fmt.Println(pace.Interval(), life)
	// Output: 50m0s 1h15m0s
}
