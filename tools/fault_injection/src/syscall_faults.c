/* Preloaded before the C library of a program. Intercepts every call that changes something below
 * one directory, counts these calls, makes one of them fail, and records them in a trace.
 *
 *   FAULTS_BELOW    the directory
 *   FAULTS_AT       number of the call that fails, from 1; none if unset
 *   FAULTS_ERROR    ENOSPC, EIO, EACCES, EROFS or EMFILE; SHORT writes half of the data; KILL kills
 *                   the process
 *   FAULTS_LASTING  if set, every later call fails too
 *   FAULTS_TRACE    path of the trace: for each call a line of numbers, then its paths and its data
 *
 * Nothing is synced to the disk: the power stays on, and the runs are faster. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SHORT = -1, KILL = -2 };
enum verdict { DO, HALF, FAIL };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *below;
static size_t below_length;
static long at, count;
static int error, lasting, trace = -1;

static int error_number(const char *name) {
    static const struct { const char *name; int number; } errors[] = {
        {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EACCES", EACCES}, {"EROFS", EROFS},
        {"EMFILE", EMFILE}, {"SHORT", SHORT}, {"KILL", KILL},
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(errors[i].name, name) == 0) return errors[i].number;
    abort();
}

__attribute__((constructor)) static void initialize(void) {
    const char *which = getenv("FAULTS_AT"), *where = getenv("FAULTS_TRACE");
    below = getenv("FAULTS_BELOW");
    if (below == NULL) return;
    below_length = strlen(below);
    lasting = getenv("FAULTS_LASTING") != NULL;
    if (which != NULL) {
        at = atol(which);
        error = error_number(getenv("FAULTS_ERROR"));
    }
    if (where != NULL) {
        trace = syscall(SYS_openat, AT_FDCWD, where, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666);
        if (trace < 0) abort();
    }
}

/* Writes the absolute path of `path` in `directory`; returns whether it is below FAULTS_BELOW. */
static int is_below(int directory, const char *path, char absolute[PATH_MAX]) {
    int saved = errno;
    char link[64] = "/proc/self/cwd", base[PATH_MAX] = "";
    if (below == NULL) return 0;
    if (path == NULL || path[0] != '/') {
        if (directory != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        ssize_t length = readlink(link, base, sizeof base - 1);
        base[length < 0 ? 0 : length] = 0;
    }
    int length = snprintf(absolute, PATH_MAX, "%s%s%s", base,
                          path == NULL || path[0] == '/' ? "" : "/", path == NULL ? "" : path);
    errno = saved;
    return length < PATH_MAX && strncmp(absolute, below, below_length) == 0 &&
           (absolute[below_length] == '/' || absolute[below_length] == 0);
}

/* Decides on the next call. Files can be removed from a full disk. */
static enum verdict decide(int frees) {
    count++;
    if (at == 0 || count < at || (count > at && !lasting)) return DO;
    if (error == KILL) raise(SIGKILL);
    if (error == SHORT) return HALF;
    if (lasting && frees && error == ENOSPC) return DO;
    errno = error;
    return FAIL;
}

static void record(const char *what, long result, const char *path, const char *to,
                   long offset, const void *data, size_t length) {
    int saved = errno;
    char line[128];
    if (trace >= 0) {
        int head = snprintf(line, sizeof line, "%s %d %ld %zu %zu %ld %zu\n", what, getpid(),
                            result, strlen(path), strlen(to), offset, length);
        struct iovec parts[] = {{line, head}, {(void *)path, strlen(path)},
                                {(void *)to, strlen(to)}, {(void *)data, length}};
        if (syscall(SYS_writev, trace, parts, 4) < 0) abort();
    }
    errno = saved;
}

static long on_two_paths(const char *what, long number, int from, const char *path, int to_in,
                         const char *to, int flags) {
    char absolute[PATH_MAX], other[PATH_MAX];
    if (!is_below(from, path, absolute) | !is_below(to_in, to, other))
        return syscall(number, from, path, to_in, to, flags);
    pthread_mutex_lock(&lock);
    long result = decide(0) == FAIL ? -1 : syscall(number, from, path, to_in, to, flags);
    record(what, result, absolute, other, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

/* A call with a path and an integer argument. */
static long on_path(const char *what, long number, int directory, const char *path, int argument,
                    int frees) {
    char absolute[PATH_MAX];
    if (!is_below(directory, path, absolute)) return syscall(number, directory, path, argument);
    pthread_mutex_lock(&lock);
    long result = decide(frees) == FAIL ? -1 : syscall(number, directory, path, argument);
    record(what, result, absolute, "", 0, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

static long intercept_open(int directory, const char *path, int flags, mode_t mode) {
    char absolute[PATH_MAX];
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    if (!writes || !is_below(directory, path, absolute))
        return syscall(SYS_openat, directory, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat before;
    int existed = fstatat(directory, path, &before, 0) == 0;
    long result = decide(0) == FAIL ? -1 : syscall(SYS_openat, directory, path, flags, mode);
    const char *what = !existed ? "create" : flags & O_TRUNC ? "truncate" : "open";
    record(what, result, absolute, "", 0, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

static long intercept_write(int file, const void *data, size_t length, off_t offset, int moves) {
    char absolute[PATH_MAX];
    if (!is_below(file, NULL, absolute))
        return moves ? syscall(SYS_write, file, data, length)
                     : syscall(SYS_pwrite64, file, data, length, offset);
    pthread_mutex_lock(&lock);
    enum verdict verdict = decide(0);
    if (verdict == HALF && length > 1) length /= 2;
    if (moves) offset = lseek(file, 0, fcntl(file, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    long result = verdict == FAIL ? -1
                  : moves         ? syscall(SYS_write, file, data, length)
                                  : syscall(SYS_pwrite64, file, data, length, offset);
    record("write", result, absolute, "", offset, data, result < 0 ? 0 : result);
    pthread_mutex_unlock(&lock);
    return result;
}

static long on_file(const char *what, int file, off_t length) {
    char absolute[PATH_MAX];
    int cuts = strcmp(what, "truncate") == 0;
    if (!is_below(file, NULL, absolute))
        return cuts ? syscall(SYS_ftruncate, file, length) : syscall(SYS_fsync, file);
    pthread_mutex_lock(&lock);
    long result = decide(0) == FAIL ? -1 : cuts ? syscall(SYS_ftruncate, file, length) : 0;
    record(what, result, absolute, "", length, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

#define MODE(flags, mode)                                   \
    mode_t mode = 0;                                        \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list rest;                                       \
        va_start(rest, flags);                              \
        mode = va_arg(rest, mode_t);                        \
        va_end(rest);                                       \
    }

int open(const char *path, int flags, ...) { MODE(flags, mode) return intercept_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return intercept_open(AT_FDCWD, path, flags, mode); }
int openat(int in, const char *path, int flags, ...) { MODE(flags, mode) return intercept_open(in, path, flags, mode); }
int openat64(int in, const char *path, int flags, ...) { MODE(flags, mode) return intercept_open(in, path, flags, mode); }
int creat(const char *path, mode_t mode) { return intercept_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }
ssize_t write(int file, const void *data, size_t length) { return intercept_write(file, data, length, 0, 1); }
ssize_t pwrite(int file, const void *data, size_t length, off_t at) { return intercept_write(file, data, length, at, 0); }
ssize_t pwrite64(int file, const void *data, size_t length, off64_t at) { return intercept_write(file, data, length, at, 0); }
/* Writes the first buffer only: a short write is always allowed. */
ssize_t writev(int file, const struct iovec *parts, int many) {
    char absolute[PATH_MAX];
    if (many < 1 || !is_below(file, NULL, absolute)) return syscall(SYS_writev, file, parts, many);
    return intercept_write(file, parts[0].iov_base, parts[0].iov_len, 0, 1);
}
int ftruncate(int file, off_t length) { return on_file("truncate", file, length); }
int ftruncate64(int file, off64_t length) { return on_file("truncate", file, length); }
int fsync(int file) { return on_file("sync", file, 0); }
int fdatasync(int file) { return on_file("sync", file, 0); }
int rename(const char *path, const char *to) { return on_two_paths("rename", SYS_renameat2, AT_FDCWD, path, AT_FDCWD, to, 0); }
int renameat(int from, const char *path, int in, const char *to) { return on_two_paths("rename", SYS_renameat2, from, path, in, to, 0); }
int renameat2(int from, const char *path, int in, const char *to, unsigned flags) { return on_two_paths("rename", SYS_renameat2, from, path, in, to, flags); }
int link(const char *path, const char *to) { return on_two_paths("link", SYS_linkat, AT_FDCWD, path, AT_FDCWD, to, 0); }
int linkat(int from, const char *path, int in, const char *to, int flags) { return on_two_paths("link", SYS_linkat, from, path, in, to, flags); }
int unlink(const char *path) { return on_path("remove", SYS_unlinkat, AT_FDCWD, path, 0, 1); }
int unlinkat(int in, const char *path, int flags) { return on_path("remove", SYS_unlinkat, in, path, flags, 1); }
int rmdir(const char *path) { return on_path("remove", SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR, 1); }
int mkdir(const char *path, mode_t mode) { return on_path("mkdir", SYS_mkdirat, AT_FDCWD, path, mode, 0); }
int mkdirat(int in, const char *path, mode_t mode) { return on_path("mkdir", SYS_mkdirat, in, path, mode, 0); }
