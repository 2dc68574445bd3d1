// Coefficients of the elementary functions, shared by generated code and by the reference that must give its bits.
#pragma once

namespace neural_engine::math {

// Adding 1.5 * 2^23 + bias to a small float rounds it to an integer, which then stands, plus the bias, in the low bits.
inline constexpr float magic(int bias) { return 12582912.0f + static_cast<float>(bias); }

// 2 * exp(r) on |r| <= ln2 / 2; minimax with the first two coefficients exact, error 3.1e-9.
inline constexpr float kTwiceExp[] = {2.0f,         2.0f,          0.999999881f,  0.333330423f,
                                      0.083336778f, 0.0167374313f, 0.00276292046f};

// 2^r on |r| <= 1/2, error 9.2e-8.
inline constexpr float kExp2[] = {1.0f, 0.693147004f, 0.240222424f, 0.0555073358f, 0.00967151299f, 0.00132647273f};

// log2 of the upper tail of the normal distribution, log2(erfc(t / sqrt2) / 2), on t >= 0. Fitted with the weight
// t * tail(t), the share that its error has in GELU: 6.9e-9 there. It falls steadily and rounds to -127, the exponent
// of zero, at the end.
inline constexpr float kLog2NormalTail[] = {-0.999998868f,    -1.15112329f,    -0.459115446f,
                                            -0.0527141988f,   0.00733338343f,  -0.000323341839f,
                                            -0.000114462768f, 2.50833218e-05f, -1.69040254e-06f};
inline constexpr float kNormalTailEnd = 10.5f;

// tanh(x) = x P(x^2) / Q(x^2) on |x| <= 8.9, relative error 6.6e-9; exactly 1 at the end in float arithmetic.
inline constexpr float kTanhP[] = {
    1.0f, 0.130840108f, 0.00310395611f, 1.11543031e-05f, -2.02251833e-08f, 5.27791977e-11f, -8.48861861e-14f};
inline constexpr float kTanhQ[] = {1.0f, 0.464173377f, 0.0244951788f, 0.000254614482f};
inline constexpr float kTanhEnd = 8.90000153f;

// erf(x) likewise on |x| <= 3.87, absolute error 4.3e-8.
inline constexpr float kErfP[] = {1.12837875f,     0.206111223f,     0.0513968542f,  0.00397272734f,
                                  0.000148980063f, -1.99421788e-06f, 1.99205559e-08f};
inline constexpr float kErfQ[] = {1.0f, 0.515990078f, 0.117563285f, 0.0148889264f, 0.0010240745f};
inline constexpr float kErfEnd = 3.87000465f;

// ln2 in two parts: the first has 15 trailing zero bits, so that a small integer times it is exact.
inline constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
// Where exp is cut: above it is infinite, below it is 0.
inline constexpr float kExpHigh = 89.3f, kExpLow = -87.6f;
// 2 sqrt(2 / pi), of tanh-GELU.
inline constexpr double kTwiceGeluTanh = 2.0 * 0.79788456080286535588;

}  // namespace neural_engine::math
