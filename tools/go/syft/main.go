// Syft without its command line: prints the package URL of each package that it lists.
//
//	syft scan DIRECTORY    of an image in an OCI image layout
//	syft convert FILE      of an SBOM
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/format"
	"github.com/anchore/syft/syft/sbom"
)

func scan(ctx context.Context, directory string) (*sbom.SBOM, error) {
	source := syft.DefaultGetSourceConfig().WithSources("oci-dir")
	image, err := syft.GetSource(ctx, directory, source)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	// Reading the database of RPM needs a driver of SQLite, which takes minutes to build.
	selection := cataloging.NewSelectionRequest().WithRemovals("rpm")
	config := syft.DefaultCreateSBOMConfig().WithCatalogerSelection(selection).WithoutFiles()
	return syft.CreateSBOM(ctx, image, config)
}

func convert(path string) (*sbom.SBOM, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	document, _, _, err := format.Decode(file)
	return document, err
}

func list(command, argument string) (*sbom.SBOM, error) {
	switch command {
	case "scan":
		return scan(context.Background(), argument)
	case "convert":
		return convert(argument)
	}
	return nil, fmt.Errorf("unknown command %q", command)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: syft scan DIRECTORY | syft convert FILE")
		os.Exit(2)
	}
	document, err := list(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for each := range document.Artifacts.Packages.Enumerate() {
		if each.PURL != "" {
			fmt.Println(each.PURL)
		}
	}
}
