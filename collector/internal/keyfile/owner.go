package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/monev112/monev112/collector/internal/disk"
)

// folderOwned is disk.OS for files that root may write into the folder of another user, with disk.Replace. A file is
// given to the owner of its folder before it takes its name: the service of that user could not read it otherwise, and
// would go on with what it had read before. What it creates is new: it follows no link and takes over no file that the
// other user laid there.
type folderOwned struct{ disk.OS }

// OpenFile is OS's, for a file that does not exist when it is created.
func (o folderOwned) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if flag&os.O_CREATE != 0 {
		if err := o.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		flag |= os.O_EXCL
	}
	return o.OS.OpenFile(name, flag, perm)
}

// Rename is OS's, after the file was given away.
func (o folderOwned) Rename(oldName, newName string) error {
	if err := giveToFolder(oldName); err != nil {
		return err
	}
	return o.OS.Rename(oldName, newName)
}

// giveToFolder gives a file that root made to the owner of the folder in which it lies. Another user's files stay as
// they are. A symbolic link is given itself, never what it leads to: the folder may belong to somebody who wants root
// to do just that.
func giveToFolder(name string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(name))
	if err != nil {
		return err
	}
	owner := folder.Sys().(*syscall.Stat_t)
	if err := os.Lchown(name, int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("give it to the owner of its folder: %w; run the command as that user", err)
	}
	return nil
}
