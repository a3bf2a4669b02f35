// Package access decides who may see what.
//
// Its nouns: a [Viewer] is who asks: a user, the holder of a bearer key, or anybody. A [Rule] is what one directory says, [Rules]
// what all directories above a path say together: each narrows, none widens. A [Guard] finds out who a request comes from, by
// password (an htpasswd file with bcrypt), bearer key or session cookie, and makes and reads the announce keys of private torrents.
// [Admissions] remember who announced with such a key, for the port that peers connect to.
//
// # What a stranger can do
//
// Guess passwords, slowly: wrong ones are counted for each address and checked a few at a time, and a user that does not exist
// takes as long as a wrong password. What is verified is cached under a keyed hash, so that the next request costs no bcrypt.
//
// # Revoking
//
// Announce keys and sessions hold no state here: each is a keyed hash over who it is for and an epoch, which is the user's line in
// the htpasswd file. A new password, or any change of a third field of the line ("alice:$2y$...:2"), ends all of the user's keys and
// sessions; so does taking the user out. A bearer key is revoked by taking it out of the rules.
//
// # Limitations
//
// Who shares an address with an admitted peer, behind one NAT, is admitted too: a peer says its own name only after we said ours.
// Bearer keys are compared by their SHA-256, so they have to be long and random; shorter ones than 20 characters are not taken.
package access
