package chart

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Borders are the areas of a map, in degrees.
type Borders struct{ areas []border }

type border struct {
	code  string
	rings [][]point // the outer ring of each part turns one way, holes the other
}

const (
	maxFeatures = 5000
	maxPoints   = 1_000_000
)

// ReadBorders reads a GeoJSON FeatureCollection of polygons; property names what holds the code of an area. Dots and
// spaces in codes do not count: "35.15.18" is "351518".
func ReadBorders(geojson []byte, property string) (*Borders, error) {
	var fc struct {
		Type     string `json:"type"`
		Features []struct {
			Properties map[string]any `json:"properties"`
			Geometry   struct {
				Type        string          `json:"type"`
				Coordinates json.RawMessage `json:"coordinates"`
			} `json:"geometry"`
		} `json:"features"`
	}
	if err := json.Unmarshal(geojson, &fc); err != nil {
		return nil, fmt.Errorf("GeoJSON: %w", err)
	}
	if fc.Type != "FeatureCollection" || len(fc.Features) == 0 {
		return nil, errors.New("GeoJSON: no FeatureCollection with features")
	}
	if len(fc.Features) > maxFeatures {
		return nil, fmt.Errorf("GeoJSON: %d features; at most %d", len(fc.Features), maxFeatures)
	}
	b, points := &Borders{}, 0
	for i, f := range fc.Features {
		code, ok := f.Properties[property]
		if !ok {
			return nil, fmt.Errorf("GeoJSON: feature %d has no property %q", i+1, property)
		}
		if n, ok := code.(float64); ok {
			code = json.Number(fmt.Sprintf("%.0f", n))
		}
		var parts [][][][]float64
		var err error
		switch f.Geometry.Type {
		case "Polygon":
			parts = make([][][][]float64, 1)
			err = json.Unmarshal(f.Geometry.Coordinates, &parts[0])
		case "MultiPolygon":
			err = json.Unmarshal(f.Geometry.Coordinates, &parts)
		default:
			err = fmt.Errorf("geometry %q is neither Polygon nor MultiPolygon", f.Geometry.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("GeoJSON: feature %d: %w", i+1, err)
		}
		a := border{code: plainCode(fmt.Sprint(code))}
		for _, part := range parts {
			for k, ring := range part {
				r, err := readRing(ring, k == 0)
				if err != nil {
					return nil, fmt.Errorf("GeoJSON: feature %d: %w", i+1, err)
				}
				if points += len(r); points > maxPoints {
					return nil, fmt.Errorf("GeoJSON: more than %d positions", maxPoints)
				}
				a.rings = append(a.rings, r)
			}
		}
		if len(a.rings) == 0 {
			return nil, fmt.Errorf("GeoJSON: feature %d has no ring", i+1)
		}
		b.areas = append(b.areas, a)
	}
	return b, nil
}

// readRing turns an outer ring one way and a hole the other, whatever the file does.
func readRing(ring [][]float64, outer bool) ([]point, error) {
	out := make([]point, 0, len(ring))
	for _, q := range ring {
		if len(q) < 2 || math.Abs(q[0]) > 180 || math.Abs(q[1]) > 90 {
			return nil, fmt.Errorf("position %v is no longitude and latitude", q)
		}
		out = append(out, point{q[0], q[1]})
	}
	if len(out) > 1 && out[0] == out[len(out)-1] {
		out = out[:len(out)-1]
	}
	if len(out) < 3 {
		return nil, errors.New("a ring has fewer than three corners")
	}
	if (signedArea(out) > 0) != outer {
		slices.Reverse(out)
	}
	return out, nil
}

// signedArea is twice the area, positive where the ring turns from x to y. It is taken around the first corner: far
// from the origin the products would drown the difference.
func signedArea(r []point) float64 {
	sum := 0.0
	for i := 1; i+1 < len(r); i++ {
		sum += (r[i].x-r[0].x)*(r[i+1].y-r[0].y) - (r[i+1].x-r[0].x)*(r[i].y-r[0].y)
	}
	return sum
}

func plainCode(s string) string { return strings.NewReplacer(".", "", " ", "").Replace(s) }
