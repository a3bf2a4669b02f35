package bencode

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"

	"github.com/zeebo/bencode"
)

// RawMessage is a field that [Unmarshal] fills with the encoded form of a
// value, byte for byte, in memory of its own, and [Marshal] writes out as it
// is.
type RawMessage = bencode.RawMessage

// Unmarshal decodes b, which must be exactly one value in canonical form within
// the default limits, into the value v points to.
//
// Dicts go into structs, whose fields name their key with a tag
// (`bencode:"piece length"`), or into maps with string keys; strings into
// string or []byte; integers into int64, uint64 or bool; lists into slices;
// anything into [RawMessage], a nil any, or a type with an UnmarshalBencode
// method; strings also into a type with an UnmarshalText method. Keys without a
// field are ignored, fields without a key left alone. A tag of "-" hides a
// field from Marshal only.
//
// The error is a [*SyntaxError], a [*LimitError], or a [*TypeError] if document
// and v do not fit, v being partly filled then: an integer out of range, for
// one, also under a key without a field. Integers narrower than 64 bits, int
// and uint among them, are refused whatever the document holds, so that no
// value is ever truncated.
//
// Everything is copied, and each token of the document can take about 150
// bytes: set [Options] to what the document may need. For packets use [Decode].
func Unmarshal(b []byte, v any) error { return Options{}.Unmarshal(b, v) }

// Unmarshal is like the function [Unmarshal] with the limits of o. If o is
// lenient, bytes after the value are ignored. Of duplicate keys the last is
// stored, or the document refused, while [Value.Get] returns the first: take
// the raw bytes of a value and its fields from the same one of the two.
func (o Options) Unmarshal(b []byte, v any) (err error) {
	doc, err := o.whole(b)
	if err != nil {
		return err
	}
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Pointer || reflect.ValueOf(v).IsNil() {
		return &TypeError{fmt.Sprintf("%T", v), errors.New("not a pointer to a value")}
	}
	if narrow := narrowInteger(t.Elem(), false, map[reflect.Type]bool{}); narrow != nil {
		return &TypeError{t.String(), fmt.Errorf("%v may truncate integers", narrow)}
	}
	defer catch(t, &err)
	if err := bencode.DecodeBytes(doc, v); err != nil {
		return &TypeError{t.String(), err}
	}
	return nil
}

// Marshal returns the encoding of v, after the mapping of [Unmarshal]: keys are
// sorted, fields with the option omitempty in their tag and a zero value are
// left out, as are nil pointers. A type with a MarshalBencode method writes
// itself, one with a MarshalText method becomes a string, any other array of
// bytes a list of integers.
//
// RawMessages are written as they are, and must be well-formed; the result is
// canonical if they are. The error is a [*TypeError] if v has no encoding, an
// empty RawMessage without omitempty, for one, or a map with other than string
// keys.
func Marshal(v any) (b []byte, err error) {
	t := reflect.TypeOf(v)
	if t == nil {
		return nil, &TypeError{"nil", errors.New("no encoding")}
	}
	defer catch(t, &err)
	b, err = bencode.EncodeBytes(v)
	if err != nil {
		return nil, &TypeError{t.String(), err}
	}
	n, err := Options{Lenient: true, MaxSize: -1, MaxDepth: -1, MaxTokens: -1}.scan(b)
	if err == nil && n < len(b) {
		err = &SyntaxError{n, reasonTrailing}
	}
	if err != nil {
		return nil, &TypeError{t.String(), err}
	}
	return b, nil
}

// catch turns a panic of the mapper into an error: it panics inside reflect
// where a list is longer than an array, or an interface holds a value already.
func catch(t reflect.Type, err *error) {
	if r := recover(); r != nil {
		*err = &TypeError{t.String(), fmt.Errorf("cannot be stored: %v", r)}
	}
}

var (
	unmarshalerType     = reflect.TypeFor[bencode.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	byteSliceType       = reflect.TypeFor[[]byte]()
	rawMessageType      = reflect.TypeFor[RawMessage]()
)

// narrowInteger returns an integer type below t that has less than 64 bits, be
// it only on some platforms, or nil: the mapper stores into such a one without
// looking whether the number fits. A type with methods of its own decides for
// itself, except below a nil pointer, where the mapper overlooks the methods;
// pointer says that t was reached through one that may be nil. seen ends
// recursive types.
func narrowInteger(t reflect.Type, pointer bool, seen map[reflect.Type]bool) reflect.Type {
	own := reflect.PointerTo(t).Implements(unmarshalerType) || reflect.PointerTo(t).Implements(textUnmarshalerType)
	if own && !pointer || t == byteSliceType || t == rawMessageType || seen[t] {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return t
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return narrowInteger(t.Elem(), t.Kind() == reflect.Pointer, seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if !f.IsExported() {
				continue
			}
			if n := narrowInteger(f.Type, false, seen); n != nil {
				return n
			}
		}
	}
	return nil
}
