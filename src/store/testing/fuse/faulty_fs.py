"""A file system that behaves like a share: a folder seen through FUSE, with the delays, refusals and stale listings that a control file asks for.

usage: faulty_fs.py FOLDER MOUNTPOINT CONTROL
CONTROL is JSON: {"delayMs": 2, "staleMs": 300, "noLinks": true, "noRenameOverOpen": true, "readOnly": true,
                  "fail": {"errno": "EIO", "calls": ["write"], "times": 3}}   (times -1: until the control file says otherwise)
"""

import errno
import json
import os
import sys
import threading
import time

from fusepy import FUSE, FuseOSError, Operations

CHANGES = {"create", "write", "mkdir", "rename", "link", "unlink", "rmdir", "truncate", "chmod", "symlink", "utimens"}


class FaultyFS(Operations):
    def __init__(self, folder, control):
        self.folder = folder
        self.control = control
        self.guard = threading.Lock()
        self.stamp = None
        self.rules = {}
        self.open_files = {}
        self.listings = {}

    def __call__(self, call, path, *args):
        rules = self._rules()
        if rules.get("delayMs"):
            time.sleep(rules["delayMs"] / 1000)
        self._fail(rules, call)
        if rules.get("readOnly") and (call in CHANGES or (call == "open" and args[0] & (os.O_WRONLY | os.O_RDWR))):
            raise FuseOSError(errno.EROFS)
        try:
            return super().__call__(call, self.folder + path, *args)
        except FuseOSError:
            raise
        except OSError as error:
            raise FuseOSError(error.errno)

    def _rules(self):
        with self.guard:
            try:
                found = os.stat(self.control)
                if found.st_mtime_ns != self.stamp:
                    with open(self.control, encoding="utf8") as file:
                        self.rules = json.load(file)
                    self.stamp = found.st_mtime_ns
            except FileNotFoundError:
                self.rules = {}
            return self.rules

    def _fail(self, rules, call):
        fail = rules.get("fail")
        with self.guard:
            if not fail or call not in fail["calls"] or fail["times"] == 0:
                return
            fail["times"] -= 1
        raise FuseOSError(getattr(errno, fail["errno"]))

    def getattr(self, path, fh=None):
        found = os.fstat(fh) if fh is not None else os.lstat(path)
        names = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_ino", "st_atime", "st_mtime", "st_ctime")
        return {name: getattr(found, name) for name in names}

    def readdir(self, path, fh):
        stale = self._rules().get("staleMs", 0) / 1000
        with self.guard:
            at, names = self.listings.get(path, (0.0, None))
            if names is None or time.monotonic() - at >= stale:
                names = [".", ".."] + os.listdir(path)
                self.listings[path] = (time.monotonic(), names)
            return names

    def open(self, path, flags):
        handle = os.open(path, flags)
        with self.guard:
            self.open_files[path] = self.open_files.get(path, 0) + 1
        return handle

    def create(self, path, mode, fi=None):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with self.guard:
            self.open_files[path] = self.open_files.get(path, 0) + 1
        return handle

    def release(self, path, fh):
        with self.guard:
            self.open_files[path] = self.open_files.get(path, 0) - 1
        os.close(fh)

    def rename(self, old, new):
        new = self.folder + new
        with self.guard:
            if self.rules.get("noRenameOverOpen") and self.open_files.get(new, 0) > 0:
                raise FuseOSError(errno.EBUSY)
        os.rename(old, new)

    def link(self, target, source):
        if self._rules().get("noLinks"):
            raise FuseOSError(errno.EPERM)
        os.link(self.folder + source, target)

    def read(self, path, size, offset, fh):
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        return os.pwrite(fh, data, offset)

    def fsync(self, path, datasync, fh):
        os.fsync(fh)

    def fsyncdir(self, path, datasync, fh):
        return 0

    def flush(self, path, fh):
        return 0

    def truncate(self, path, length, fh=None):
        os.truncate(path if fh is None else fh, length)

    def mkdir(self, path, mode):
        os.mkdir(path, mode)

    def rmdir(self, path):
        os.rmdir(path)

    def unlink(self, path):
        os.unlink(path)

    def chmod(self, path, mode):
        os.chmod(path, mode)

    def readlink(self, path):
        return os.readlink(path)

    def symlink(self, target, source):
        os.symlink(source, target)

    def utimens(self, path, times=None):
        os.utime(path, times)

    def statfs(self, path):
        found = os.statvfs(path)
        names = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_flag", "f_namemax")
        return {name: getattr(found, name) for name in names}


if __name__ == "__main__":
    folder, mountpoint, control = sys.argv[1:]
    FUSE(FaultyFS(folder, control), mountpoint, foreground=True, attr_timeout=0, entry_timeout=0, negative_timeout=0, use_ino=True)
