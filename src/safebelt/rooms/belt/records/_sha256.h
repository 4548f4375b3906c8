/* SHA-256 (FIPS 180-4), with the processor's own instructions where it has them: `hashlib` asks OpenSSL, which takes
 * longer to begin and end than a record's line takes to be hashed. */
#ifndef SAFEBELT_SHA256_H
#define SAFEBELT_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH 32
#define CHUNK 64

static const uint32_t ROUNDS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

typedef void (*Rounds)(uint32_t *state, const uint8_t *data, size_t chunks);

static inline uint32_t turned(uint32_t word, int by) { return word >> by | word << (32 - by); }

/* One round; the eight words take turns instead of moving. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                                              \
    do {                                                                                                              \
        h += (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + (g ^ (e & (f ^ g))) + ROUNDS[i] + w[(i) & 15];          \
        d += h;                                                                                                       \
        h += (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) | (c & (a | b)));                              \
    } while (0)

static inline void spread(uint32_t *w) {
    for (int i = 0; i < 16; i++) {
        uint32_t one = w[(i + 1) & 15], two = w[(i + 14) & 15];
        w[i] += (turned(one, 7) ^ turned(one, 18) ^ one >> 3) + w[(i + 9) & 15] +
                (turned(two, 17) ^ turned(two, 19) ^ two >> 10);
    }
}

static void rounds_plain(uint32_t *state, const uint8_t *data, size_t chunks) {
    for (; chunks; chunks--, data += CHUNK) {
        uint32_t w[16], a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (int i = 0; i < 16; i++)
            w[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 | (uint32_t)data[4 * i + 2] << 8 |
                   data[4 * i + 3];
        for (int i = 0; i < 64; i += 8) {
            if (i >= 16 && i % 16 == 0) spread(w);
            ROUND(a, b, c, d, e, f, g, h, i);
            ROUND(h, a, b, c, d, e, f, g, i + 1);
            ROUND(g, h, a, b, c, d, e, f, i + 2);
            ROUND(f, g, h, a, b, c, d, e, i + 3);
            ROUND(e, f, g, h, a, b, c, d, i + 4);
            ROUND(d, e, f, g, h, a, b, c, i + 5);
            ROUND(c, d, e, f, g, h, a, b, i + 6);
            ROUND(b, c, d, e, f, g, h, a, i + 7);
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

#define BY_PROCESSOR __attribute__((target("sha,sse4.1,ssse3")))

/* Chunks of as many messages as there are lanes, step by step together: each step waits for the one before it, and
 * meanwhile the processor has time for another message's. */
BY_PROCESSOR static inline __attribute__((always_inline)) void rounds_of(uint32_t *const *state,
                                                                         const uint8_t *const *data, size_t chunks,
                                                                         const int lanes) {
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i abef[2], cdgh[2], w[2][4];
#pragma GCC unroll 2
    for (int k = 0; k < lanes; k++) {
        __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state[k]);
        __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state[k] + 4));
        __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1), efgh = _mm_shuffle_epi32(hgfe, 0x1B);
        abef[k] = _mm_alignr_epi8(cdab, efgh, 8), cdgh[k] = _mm_blend_epi16(efgh, cdab, 0xF0);
    }
    for (size_t at = 0; at < chunks * CHUNK; at += CHUNK) {
        const __m128i abef_before[2] = {abef[0], abef[lanes - 1]}, cdgh_before[2] = {cdgh[0], cdgh[lanes - 1]};
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            const __m128i rounds = _mm_loadu_si128((const __m128i *)(const void *)(ROUNDS + 4 * i));
#pragma GCC unroll 2
            for (int k = 0; k < lanes; k++) {
                __m128i *now = &w[k][i & 3], before = w[k][(i + 3) & 3];
                if (i < 4)
                    *now = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data[k] + at + 16 * i)),
                                            order);
                else
                    *now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*now, w[k][(i + 1) & 3]),
                                                              _mm_alignr_epi8(before, w[k][(i + 2) & 3], 4)),
                                                before);
                __m128i with = _mm_add_epi32(*now, rounds);
                cdgh[k] = _mm_sha256rnds2_epu32(cdgh[k], abef[k], with);
                abef[k] = _mm_sha256rnds2_epu32(abef[k], cdgh[k], _mm_shuffle_epi32(with, 0x0E));
            }
        }
#pragma GCC unroll 2
        for (int k = 0; k < lanes; k++) {
            abef[k] = _mm_add_epi32(abef[k], abef_before[k]);
            cdgh[k] = _mm_add_epi32(cdgh[k], cdgh_before[k]);
        }
    }
#pragma GCC unroll 2
    for (int k = 0; k < lanes; k++) {
        const __m128i feba = _mm_shuffle_epi32(abef[k], 0x1B), dchg = _mm_shuffle_epi32(cdgh[k], 0xB1);
        _mm_storeu_si128((__m128i *)(void *)state[k], _mm_blend_epi16(feba, dchg, 0xF0));
        _mm_storeu_si128((__m128i *)(void *)(state[k] + 4), _mm_alignr_epi8(dchg, feba, 8));
    }
}

BY_PROCESSOR static void rounds_by_processor(uint32_t *state, const uint8_t *data, size_t chunks) {
    rounds_of(&state, &data, chunks, 1);
}

BY_PROCESSOR static void two_by_processor(uint32_t *const *states, const uint8_t *const *data, size_t chunks) {
    rounds_of(states, data, chunks, 2);
}

/* The best this processor has.  These instructions use registers that every system saves: no more need be asked. */
static Rounds best_rounds(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return rounds_plain;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_SHA)) return rounds_plain;
    return rounds_by_processor;
}

static inline void rounds_of_two(Rounds rounds, uint32_t *const *states, const uint8_t *const *data, size_t chunks) {
    if (rounds == rounds_by_processor) {
        two_by_processor(states, data, chunks);
        return;
    }
    for (int k = 0; k < 2; k++) rounds(states[k], data[k], chunks);
}
#else
static Rounds best_rounds(void) { return rounds_plain; }

static inline void rounds_of_two(Rounds rounds, uint32_t *const *states, const uint8_t *const *data, size_t chunks) {
    for (int k = 0; k < 2; k++) rounds(states[k], data[k], chunks);
}
#endif

/* A hash under way; `rest` holds what makes no whole chunk yet. */
typedef struct {
    uint32_t state[8];
    uint64_t size;
    Rounds rounds;
    uint8_t rest[CHUNK];
} Sha;

static inline void sha_begin(Sha *sha, Rounds rounds) {
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(sha->state, first, sizeof first);
    sha->size = 0;
    sha->rounds = rounds;
}

static inline void sha_add(Sha *sha, const uint8_t *data, size_t size) {
    size_t held = sha->size % CHUNK;
    sha->size += size;
    if (held) {
        size_t more = size < CHUNK - held ? size : CHUNK - held;
        memcpy(sha->rest + held, data, more);
        if (held + more < CHUNK) return;
        sha->rounds(sha->state, sha->rest, 1);
        data += more;
        size -= more;
    }
    if (size >= CHUNK) sha->rounds(sha->state, data, size / CHUNK);
    if (size % CHUNK) memcpy(sha->rest, data + size - size % CHUNK, size % CHUNK);
}

/* Add the same bytes to two hashes, both at once as far as that goes; the second has one byte already, the first none. */
static inline void sha_add_to_both(Sha *first, Sha *second, const uint8_t *data, size_t size) {
    size_t head = size < CHUNK - 1 ? size : CHUNK - 1, chunks = (size - head) / CHUNK, done = chunks * CHUNK;
    uint32_t *const states[] = {first->state, second->state};
    const uint8_t *const from[] = {data, data + head};
    sha_add(second, data, head);
    if (chunks) rounds_of_two(first->rounds, states, from, chunks);
    first->size += done;
    second->size += done;
    sha_add(first, data + done, size - done);
    sha_add(second, data + head + done, size - head - done);
}

static inline void sha_end(Sha *sha, uint8_t *hash) {
    size_t held = sha->size % CHUNK;
    uint64_t bits = sha->size * 8;
    sha->rest[held++] = 0x80;
    if (held > CHUNK - 8) {
        memset(sha->rest + held, 0, CHUNK - held);
        sha->rounds(sha->state, sha->rest, 1);
        held = 0;
    }
    memset(sha->rest + held, 0, CHUNK - 8 - held);
    for (int i = 0; i < 8; i++) sha->rest[CHUNK - 1 - i] = (uint8_t)(bits >> 8 * i);
    sha->rounds(sha->state, sha->rest, 1);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++) hash[4 * i + j] = (uint8_t)(sha->state[i] >> (24 - 8 * j));
}

#endif
