/* registers.c - a pointer that lies in a register and nowhere else.
 */
#include "check.h"

enum { TRIES = 32 };

#if defined(__x86_64__)

/* The object is made elsewhere; here is only its hidden address. */
static NOINLINE uintptr_t made(void)
{
    uintptr_t *object = midden_alloc(64);

    object[3] = hidden(object);
    return hidden(object);
}

/* Calls midden_collect(2) with the address in rbx alone. */
static NOINLINE long collect_holding(uintptr_t word)
{
    long (*collect)(int) = midden_collect;
    long result;

    __asm__ volatile("mov %%rsp, %%r12\n\t"
                     "sub $256, %%rsp\n\t"
                     "and $-64, %%rsp\n\t"
                     "mov %[word], %%rbx\n\t"
                     "not %%rbx\n\t"
                     "mov $2, %%edi\n\t"
                     "call *%[collect]\n\t"
                     "mov %%r12, %%rsp\n\t"
                     "xor %%ebx, %%ebx\n\t"
                     : "=&a"(result)
                     : [word] "r"(word), [collect] "r"(collect)
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "memory",
                       "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
    return result;
}

static void callee_saved(void)
{
    long good = 0;

    for (int i = 0; i < TRIES; i++) {
        uintptr_t word = made();

        wipe();
        collect_holding(word);
        good += in_use(word) && ((uintptr_t *)shown(word))[3] == word;
    }
    check(good == TRIES, "a register of the collecting thread: %ld of %d kept", good, TRIES);
}

/* -- another thread ---------------------------------------------------------------------------- */

struct spin {
    volatile int ready, go;
    uintptr_t    word;
    int          vector;
};

/* Waits with the address in r13 alone. */
static void *spin_general(void *arg)
{
    struct spin *spin = arg;

    __asm__ volatile("mov %[word], %%r13\n\t"
                     "not %%r13\n\t"
                     "movl $1, %[ready]\n"
                     "1:\n\t"
                     "pause\n\t"
                     "cmpl $0, %[go]\n\t"
                     "je 1b\n\t"
                     "not %%r13\n\t"
                     "mov %%r13, %[word]\n\t"
                     : [word] "+m"(spin->word), [ready] "=m"(spin->ready)
                     : [go] "m"(spin->go)
                     : "r13", "memory", "cc");
    return NULL;
}

/* Waits with the address in the upper half of xmm9 alone. */
static void *spin_vector(void *arg)
{
    struct spin *spin = arg;

    __asm__ volatile("movq %[word], %%xmm9\n\t"
                     "pcmpeqd %%xmm8, %%xmm8\n\t"
                     "pxor %%xmm8, %%xmm9\n\t"
                     "pslldq $8, %%xmm9\n\t"
                     "movl $1, %[ready]\n"
                     "1:\n\t"
                     "pause\n\t"
                     "cmpl $0, %[go]\n\t"
                     "je 1b\n\t"
                     "psrldq $8, %%xmm9\n\t"
                     "pxor %%xmm8, %%xmm9\n\t"
                     "movq %%xmm9, %[word]\n\t"
                     : [word] "+m"(spin->word), [ready] "=m"(spin->ready)
                     : [go] "m"(spin->go)
                     : "xmm8", "xmm9", "memory", "cc");
    return NULL;
}

/* The upper half of ymm10, where the processor has one. */
static void *spin_wide(void *arg)
{
    struct spin *spin = arg;

    __asm__ volatile("vmovq %[word], %%xmm10\n\t"
                     "vpcmpeqd %%xmm8, %%xmm8, %%xmm8\n\t"
                     "vpxor %%xmm8, %%xmm10, %%xmm10\n\t"
                     "vmovq %%xmm10, %%xmm10\n\t"
                     "vperm2f128 $0x08, %%ymm10, %%ymm10, %%ymm10\n\t"
                     "movl $1, %[ready]\n"
                     "1:\n\t"
                     "pause\n\t"
                     "cmpl $0, %[go]\n\t"
                     "je 1b\n\t"
                     "vextractf128 $1, %%ymm10, %%xmm10\n\t"
                     "vpxor %%xmm8, %%xmm10, %%xmm10\n\t"
                     "vmovq %%xmm10, %[word]\n\t"
                     "vzeroupper\n\t"
                     : [word] "+m"(spin->word), [ready] "=m"(spin->ready)
                     : [go] "m"(spin->go)
                     : "xmm8", "xmm10", "memory", "cc");
    return NULL;
}

static void in_thread(void *(*body)(void *), const char *where)
{
    long good = 0, same = 0;

    for (int i = 0; i < TRIES; i++) {
        uintptr_t   word = made();
        struct spin spin = { 0, 0, word, 0 };
        pthread_t   thread = start(body, &spin);

        while (!spin.ready)
            sched_yield();
        spin.word = 0;
        wipe();
        midden_collect(MIDDEN_FULL);
        good += in_use(word) && ((uintptr_t *)shown(word))[3] == word;
        spin.go = 1;
        pthread_join(thread, NULL);
        same += spin.word == word;
    }
    check(good == TRIES && same == TRIES, "%s of another thread: %ld of %d kept, %ld unchanged",
        where, good, TRIES, same);
}

/* Without a pointer anywhere they go: the tests above can fail. */
static void nowhere(void)
{
    long good = 0;

    for (int i = 0; i < TRIES; i++) {
        uintptr_t word = made();

        wipe();
        midden_collect(MIDDEN_FULL);
        good += in_use(word);
    }
    check(good <= 4, "in no register: %ld of %d stay", good, TRIES);
}

int main(void)
{
    midden_disable();
    nowhere();
    callee_saved();
    in_thread(spin_general, "a general register");
    in_thread(spin_vector, "a vector register");
    if (__builtin_cpu_supports("avx2"))
        in_thread(spin_wide, "the upper half of a wide one");
    return done();
}

#else

int main(void)
{
    skip_all("the registers of this processor are not known here");
    return 0;
}

#endif
