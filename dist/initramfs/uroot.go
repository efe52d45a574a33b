//go:build uroot

// Package initramfs names what goes into the images of make initramfs.
package initramfs

import (
	_ "github.com/u-root/u-root/cmds/core/echo"
	_ "github.com/u-root/u-root/cmds/core/gosh"
	_ "github.com/u-root/u-root/cmds/core/init"
	_ "github.com/u-root/u-root/cmds/core/ip"

	_ "dhcpd/cmd/dhcpd"
)
