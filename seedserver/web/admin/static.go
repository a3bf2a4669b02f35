package admin

import (
	"embed"
	"html/template"

	"github.com/seedserver/bittorrent/seedserver/web/asset"
)

var (
	//go:embed static templates
	files embed.FS

	pages  = template.Must(template.ParseFS(files, "templates/*.html"))
	static = asset.New(files, "static")
)
