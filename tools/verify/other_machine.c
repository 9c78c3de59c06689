/* What a machine can be like, for every program that is linked dynamically: the clock is another,
   and directories list their entries in reverse. A program that has met it leaves a file in /tmp. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Five days, and something odd. Certificates are good for longer. */
#define LATER (5 * 86400 + 12345)

static void met(const char *what) {
    char path[256];
    int kept = errno;
    snprintf(path, sizeof path, "/tmp/%s-%s", what, program_invocation_short_name);
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    if (file >= 0) close(file);
    errno = kept;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    if (!code && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        static int seen;
        if (!seen++) met("clock");
        now->tv_sec += LATER;
    }
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (kept) *kept = exact.tv_sec;
    return exact.tv_sec;
}

struct listing {
    DIR *directory;
    struct dirent64 **entries;
    size_t count, left;
    struct listing *next;
};

static struct listing *listings;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void forget(DIR *directory) {
    pthread_mutex_lock(&lock);
    for (struct listing **at = &listings; *at; at = &(*at)->next) {
        struct listing *found = *at;
        if (found->directory != directory) continue;
        *at = found->next;
        for (size_t i = 0; i < found->count; i++) free(found->entries[i]);
        free(found->entries);
        free(found);
        break;
    }
    pthread_mutex_unlock(&lock);
}

static struct listing *listing_of(DIR *directory) {
    static struct dirent64 *(*real)(DIR *);
    struct listing *found;
    pthread_mutex_lock(&lock);
    if (!real) real = dlsym(RTLD_NEXT, "readdir64");
    for (found = listings; found && found->directory != directory; found = found->next);
    if (!found && (found = calloc(1, sizeof *found))) {
        struct dirent64 *entry;
        size_t room = 0;
        found->directory = directory;
        while ((entry = real(directory))) {
            if (found->count == room) {
                room = room ? 2 * room : 64;
                found->entries = realloc(found->entries, room * sizeof *found->entries);
            }
            struct dirent64 *copy = malloc(sizeof *copy);
            memcpy(copy, entry, entry->d_reclen);
            found->entries[found->count++] = copy;
        }
        found->left = found->count;
        found->next = listings;
        listings = found;
        if (found->count > 3) met("order");
    }
    pthread_mutex_unlock(&lock);
    return found;
}

struct dirent64 *readdir64(DIR *directory) {
    struct listing *found = listing_of(directory);
    return found && found->left ? found->entries[--found->left] : NULL;
}

/* On 64-bit Linux the two are one. */
struct dirent *readdir(DIR *directory) { return (struct dirent *)readdir64(directory); }

void rewinddir(DIR *directory) {
    static void (*real)(DIR *);
    if (!real) real = dlsym(RTLD_NEXT, "rewinddir");
    forget(directory);
    real(directory);
}

int closedir(DIR *directory) {
    static int (*real)(DIR *);
    if (!real) real = dlsym(RTLD_NEXT, "closedir");
    forget(directory);
    return real(directory);
}
