/* Loaded before libc (LD_PRELOAD): counts the calls that change files below a folder, and those that read
 * files there, and lets the n-th of them fail, fall short, or hold or end the process.
 *
 * Nothing happens before `faults_arm`, which a process calls by ctypes, or the variable FAULTS sets:
 * "folder|kind|n|action|argument|log". Paths are compared as they are written: give the real path.
 * What libc calls inside itself (fwrite) does not pass here; `tests/test_fault_layer.py` compares the count
 * with that of strace.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum action { PASS, FAIL, SHORT, KILL, STOP, VANISH, GROW, CUT, STALL, FULL };
enum kind { CHANGE, READ };

static struct {
    char folder[4096];
    long kind, nth, action, argument;
    int log, armed;
} plan;
static long own_counts[2];
static long *counts = own_counts; /* shared with the processes that are forked after arming */

void faults_arm(const char *folder, long kind, long nth, long action, long argument, const char *log) {
    plan.armed = 0;
    snprintf(plan.folder, sizeof plan.folder, "%s", folder);
    plan.kind = kind, plan.nth = nth, plan.action = action, plan.argument = argument;
    plan.log = *log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    long *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    counts = shared == MAP_FAILED ? own_counts : shared;
    counts[0] = counts[1] = 0;
    plan.armed = 1;
}

long faults_count(long kind) { return counts[kind]; }

__attribute__((constructor)) static void arm_from_environment(void) {
    char *text = getenv("FAULTS"), *part[6], *rest;
    if (!text || !(rest = strdup(text))) return;
    for (int i = 0; i < 6; i++)
        if (!(part[i] = strsep(&rest, "|"))) return;
    faults_arm(part[0], atol(part[1]), atol(part[2]), atol(part[3]), atol(part[4]), part[5]);
}

static int is_below(const char *path) {
    size_t length = strlen(plan.folder);
    return !strncmp(path, plan.folder, length) && (path[length] == '/' || !path[length]);
}

static int path_of(int fd, char *out, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, out, size - 1);
    if (n <= 0) return 0;
    out[n] = 0;
    return 1;
}

static int absolute(int folder, const char *path, char *out, size_t size) {
    if (path[0] == '/') return snprintf(out, size, "%s", path) > 0;
    char base[4096];
    if (folder == AT_FDCWD ? !getcwd(base, sizeof base) : !path_of(folder, base, sizeof base)) return 0;
    return snprintf(out, size, "%.2000s/%.2000s", base, path) > 0;
}

/* Count a call on a path; the action for it, which has been taken already where it is the same for all. */
static enum action meet(enum kind kind, const char *name, const char *path, int takes_space) {
    if (!plan.armed || !is_below(path)) return PASS;
    long n = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
    if (plan.log >= 0) {
        char line[4400];
        int size = snprintf(line, sizeof line, "%d %ld %s %s\n", kind, n, name, path);
        syscall(SYS_write, plan.log, line, size);
    }
    if ((long)kind != plan.kind) return PASS;
    if (plan.action == FULL) { /* from the n-th on, whatever takes space */
        errno = (int)plan.argument;
        return takes_space && n >= plan.nth ? FAIL : PASS;
    }
    if (n != plan.nth) return PASS;
    if (plan.action == KILL) kill(getpid(), SIGKILL);
    if (plan.action == STOP) kill(getpid(), SIGSTOP);
    if (plan.action == STALL) {
        struct timespec wait = {plan.argument / 1000, plan.argument % 1000 * 1000000};
        while (nanosleep(&wait, &wait) && errno == EINTR) {}
    }
    if (plan.action == VANISH) syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (plan.action == CUT) truncate(path, plan.argument);
    if (plan.action == GROW) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND);
        for (int i = 0; fd >= 0 && i < 1000; i++) syscall(SYS_write, fd, "\0\0\0\0\0\0\0\0", 8);
        if (fd >= 0) syscall(SYS_close, fd);
    }
    if (plan.action == FAIL) errno = (int)plan.argument;
    return plan.action == FAIL || plan.action == SHORT ? (enum action)plan.action : PASS;
}

static enum action meet_fd(enum kind kind, const char *name, int fd, int takes_space) {
    char path[4096];
    if (!plan.armed || !path_of(fd, path, sizeof path)) return PASS;
    return meet(kind, name, path, takes_space);
}

static enum action meet_at(const char *name, int folder, const char *path, int takes_space) {
    char whole[4200];
    if (!plan.armed || !absolute(folder, path, whole, sizeof whole)) return PASS;
    return meet(CHANGE, name, whole, takes_space);
}

#define NEXT(name) \
    static __typeof__(name) *next_##name; \
    if (!next_##name) next_##name = dlsym(RTLD_NEXT, #name)

static enum action meet_open(int folder, const char *path, int flags) {
    char whole[4200];
    if (!plan.armed || flags & O_DIRECTORY || !absolute(folder, path, whole, sizeof whole)) return PASS;
    int changes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    return meet(changes ? CHANGE : READ, "open", whole, flags & O_CREAT);
}

#define MODE mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }
#define OPEN(name) int name(const char *path, int flags, ...) { \
    NEXT(name); MODE return meet_open(AT_FDCWD, path, flags) == FAIL ? -1 : next_##name(path, flags, mode); }
#define OPENAT(name) int name(int folder, const char *path, int flags, ...) { \
    NEXT(name); MODE return meet_open(folder, path, flags) == FAIL ? -1 : next_##name(folder, path, flags, mode); }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)
int creat(const char *path, mode_t mode) { return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static int is_written(int fd) { return (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY; }

/* What moves bytes: short is the argument at most, or half of what was asked for. */
#define MOVE(kind, type, name, parameters, space, size, ...) type name parameters { \
    NEXT(name); \
    switch (meet_fd(kind, #name, fd, space)) { \
    case FAIL: return -1; \
    case SHORT: if (!plan.argument && size > 1) size /= 2; \
        if (plan.argument && (long)size > plan.argument) size = plan.argument; break; \
    default: break; } \
    return next_##name(__VA_ARGS__); }
MOVE(CHANGE, ssize_t, write, (int fd, const void *data, size_t n), 1, n, fd, data, n)
MOVE(CHANGE, ssize_t, pwrite, (int fd, const void *data, size_t n, off_t at), 1, n, fd, data, n, at)
MOVE(CHANGE, ssize_t, pwrite64, (int fd, const void *data, size_t n, off64_t at), 1, n, fd, data, n, at)
MOVE(CHANGE, ssize_t, writev, (int fd, const struct iovec *data, int n), 1, n, fd, data, n)
MOVE(CHANGE, ssize_t, pwritev, (int fd, const struct iovec *data, int n, off_t at), 1, n, fd, data, n, at)
MOVE(CHANGE, ssize_t, sendfile, (int fd, int from, off_t *at, size_t n), 1, n, fd, from, at, n)
MOVE(CHANGE, ssize_t, sendfile64, (int fd, int from, off64_t *at, size_t n), 1, n, fd, from, at, n)
MOVE(CHANGE, ssize_t, copy_file_range, (int from, off64_t *at, int fd, off64_t *to, size_t n, unsigned flags), 1, n,
     from, at, fd, to, n, flags)
MOVE(READ, ssize_t, read, (int fd, void *data, size_t n), 0, n, fd, data, n)
MOVE(READ, ssize_t, pread, (int fd, void *data, size_t n, off_t at), 0, n, fd, data, n, at)
MOVE(READ, ssize_t, pread64, (int fd, void *data, size_t n, off64_t at), 0, n, fd, data, n, at)
MOVE(READ, ssize_t, readv, (int fd, const struct iovec *data, int n), 0, n, fd, data, n)
MOVE(READ, ssize_t, preadv, (int fd, const struct iovec *data, int n, off_t at), 0, n, fd, data, n, at)
MOVE(READ, ssize_t, preadv64, (int fd, const struct iovec *data, int n, off64_t at), 0, n, fd, data, n, at)
MOVE(READ, ssize_t, preadv2, (int fd, const struct iovec *data, int n, off_t at, int flags), 0, n, fd, data, n, at, flags)
MOVE(READ, ssize_t, preadv64v2, (int fd, const struct iovec *data, int n, off64_t at, int flags), 0, n, fd, data, n, at, flags)

#define OF_FD(type, name, parameters, space, ...) type name parameters { \
    NEXT(name); return meet_fd(CHANGE, #name, fd, space) == FAIL ? -1 : next_##name(__VA_ARGS__); }
OF_FD(int, ftruncate, (int fd, off_t n), 1, fd, n)
OF_FD(int, ftruncate64, (int fd, off64_t n), 1, fd, n)
OF_FD(int, fallocate, (int fd, int mode, off_t at, off_t n), 1, fd, mode, at, n)
OF_FD(int, fallocate64, (int fd, int mode, off64_t at, off64_t n), 1, fd, mode, at, n)
OF_FD(int, fsync, (int fd), 0, fd)
OF_FD(int, fdatasync, (int fd), 0, fd)
#define ALLOCATE(name, type) int name(int fd, type at, type n) { /* returns its error */ \
    NEXT(name); return meet_fd(CHANGE, #name, fd, 1) == FAIL ? errno : next_##name(fd, at, n); }
ALLOCATE(posix_fallocate, off_t) ALLOCATE(posix_fallocate64, off64_t)

int close(int fd) {
    NEXT(close);
    int saved = errno;
    enum action action = plan.armed && is_written(fd) ? meet_fd(CHANGE, "close", fd, 0) : PASS;
    int number = errno;
    errno = saved;
    int done = next_close(fd); /* a failed close has closed all the same */
    if (action == FAIL) errno = number;
    return action == FAIL ? -1 : done;
}

#define MAP(name, type) void *name(void *at, size_t n, int access, int flags, int fd, type from) { \
    NEXT(name); \
    if (fd >= 0 && flags & MAP_SHARED && access & PROT_WRITE && meet_fd(CHANGE, "mmap", fd, 1) == FAIL) return MAP_FAILED; \
    if (fd >= 0 && !(access & (PROT_WRITE | PROT_EXEC)) && meet_fd(READ, "mmap", fd, 0) == FAIL) return MAP_FAILED; \
    return next_##name(at, n, access, flags, fd, from); }
MAP(mmap, off_t) MAP(mmap64, off64_t)

#define OF_PATH(name, parameters, folder, path, space, ...) int name parameters { \
    NEXT(name); return meet_at(#name, folder, path, space) == FAIL ? -1 : next_##name(__VA_ARGS__); }
OF_PATH(truncate, (const char *path, off_t n), AT_FDCWD, path, 0, path, n)
OF_PATH(unlink, (const char *path), AT_FDCWD, path, 0, path)
OF_PATH(unlinkat, (int folder, const char *path, int flags), folder, path, 0, folder, path, flags)
OF_PATH(rmdir, (const char *path), AT_FDCWD, path, 0, path)
OF_PATH(remove, (const char *path), AT_FDCWD, path, 0, path)
OF_PATH(mkdir, (const char *path, mode_t mode), AT_FDCWD, path, 1, path, mode)
OF_PATH(mkdirat, (int folder, const char *path, mode_t mode), folder, path, 1, folder, path, mode)
OF_PATH(rename, (const char *old, const char *path), AT_FDCWD, path, 0, old, path)
OF_PATH(renameat, (int from, const char *old, int folder, const char *path), folder, path, 0, from, old, folder, path)
OF_PATH(renameat2, (int from, const char *old, int folder, const char *path, unsigned flags), folder, path, 0, from, old,
        folder, path, flags)
OF_PATH(link, (const char *old, const char *path), AT_FDCWD, path, 1, old, path)
OF_PATH(symlink, (const char *old, const char *path), AT_FDCWD, path, 1, old, path)
