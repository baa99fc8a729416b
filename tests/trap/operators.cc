/* operators.cc - the twenty operators of C++, and what new does when there is no memory.
 * flags: -std=c++17 -fsized-deallocation
 */
#include "tap.h"

#include <new>

static int handled;
static void *reserve;

static void *gone(void *p)
{
    return hide(p);
}

static void plain_point()
{
    for (size_t n = 0; n < 300000; n = n * 3 + 1) {
        ::operator delete(gone(::operator new(n)));
        ::operator delete[](gone(::operator new[](n)));
        ::operator delete(gone(::operator new(n)), n);
        ::operator delete[](gone(::operator new[](n)), n);
        ::operator delete(gone(::operator new(n, std::nothrow)), std::nothrow);
        ::operator delete[](gone(::operator new[](n, std::nothrow)), std::nothrow);
    }
    ::operator delete(nullptr);
    ::operator delete[](nullptr);
    ::operator delete(nullptr, 100);
    ::operator delete[](nullptr, std::nothrow);
    check(1, "the twelve without alignment");
}

static void aligned_point()
{
    int bad = 0;

    for (size_t align = 16; align <= 65536; align *= 4)
        for (size_t n = 0; n < 100000; n = n * 5 + 3) {
            auto  a = std::align_val_t(align);
            void *p[] = { ::operator new(n, a), ::operator new[](n, a),
                ::operator new(n, a, std::nothrow),
                ::operator new[](n, a, std::nothrow), ::operator new(n, a),
                    ::operator new[](n, a) };

            for (void *q : p)
                bad += (reinterpret_cast<uintptr_t>(q) & (align - 1)) != 0;
            ::operator delete(gone(p[0]), a);
            ::operator delete[](gone(p[1]), a);
            ::operator delete(gone(p[2]), a, std::nothrow);
            ::operator delete[](gone(p[3]), a, std::nothrow);
            ::operator delete(gone(p[4]), n, a);
            ::operator delete[](gone(p[5]), n, a);
        }
    ::operator delete(nullptr, std::align_val_t(64));
    check(bad == 0, "the eight with alignment");
}

/* What a statement that must fail threw. */
template <class Try> static int throws(Try attempt)
{
    try {
        hide(attempt());
    } catch (const std::bad_alloc &) {
        return 1;
    } catch (int number) {
        return number;
    }
    return 0;
}

static const size_t huge = static_cast<size_t>(1) << 62;

static void failure_point()
{
    auto a = std::align_val_t(64);

    check(throws([] { return ::operator new(huge); }) == 1, "new of 2^62 bytes throws bad_alloc");
    check(throws([] { return ::operator new[](huge); }) == 1, "new[] too");
    check(throws([&] { return ::operator new(huge, a); }) == 1, "aligned new too");
    check(throws([&] { return ::operator new[](huge, a); }) == 1, "aligned new[] too");
    check(::operator new(huge, std::nothrow) == nullptr, "nothrow new returns null");
    check(::operator new[](huge, std::nothrow) == nullptr, "nothrow new[] returns null");
    check(::operator new(huge, a, std::nothrow) == nullptr, "aligned nothrow new returns null");
    check(::operator new[](huge, a, std::nothrow) == nullptr, "aligned nothrow new[] returns null");
    size_t count = reinterpret_cast<size_t>(hide(reinterpret_cast<void *>(SIZE_MAX / 4)));
    check(throws([=] { return new double[count]; }) == 1, "an array too long throws");
}

static void count_and_stop()
{
    if (++handled == 3)
        std::set_new_handler(nullptr);
}

static void throw_number()
{
    throw 42;
}

static void handler_point()
{
    std::set_new_handler(count_and_stop);
    check(throws([] { return ::operator new(huge); }) == 1 && handled == 3,
        "the new handler is called until there is none");
    std::set_new_handler(count_and_stop);
    handled = 0;
    check(::operator new(huge, std::nothrow) == nullptr && handled == 3, "by nothrow new as well");
    std::set_new_handler(count_and_stop);
    handled = 0;
    check(throws([] { return ::operator new(huge, std::align_val_t(64)); }) == 1 && handled == 3,
        "by aligned new as well");
    std::set_new_handler(throw_number);
    check(throws([] { return ::operator new(huge); }) == 42, "what it throws goes through");
    check(::operator new(reinterpret_cast<size_t>(hide(reinterpret_cast<void *>(100)))) != nullptr,
        "and is not called in vain");
    std::set_new_handler(nullptr);
}

int main()
{
    reserve = malloc(100);
    plain_point();
    aligned_point();
    failure_point();
    handler_point();
    free(reserve);
    check(churn(1, 5000) == 0, "the heap works");
    return done();
}
