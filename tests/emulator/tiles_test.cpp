// AMX: against plain sums, and against the host where it has AMX.
#include <gtest/gtest.h>
#include <xbyak/xbyak.h>

#include <cmath>
#include <random>

#include "emulator/emulation.h"
#include "emulator/low_precision.h"
#include "emulator/machine.h"

namespace neural_engine::emulator {
namespace {

struct alignas(64) Arguments {
  uint8_t config[64] = {};
  uint8_t stored_config[64] = {};
  uint8_t a[1024] = {}, b[1024] = {}, c[1024] = {};
  int64_t stride = 64;
};

enum class Product { kSS, kSU, kUS, kUU, kBf16 };

void configure(Arguments* arguments, int tile, int rows, int bytes) {
  arguments->config[0] = 1;
  arguments->config[16 + 2 * tile] = static_cast<uint8_t>(bytes);
  arguments->config[48 + tile] = static_cast<uint8_t>(rows);
}

// c += a * b on tiles 0 (c), 3 (a) and 7 (b).
class Code : public Xbyak::CodeGenerator {
 public:
  explicit Code(Product product) : Xbyak::CodeGenerator(4096, Xbyak::DontSetProtectRWE) {
    ldtilecfg(at(offsetof(Arguments, config)));
    sttilecfg(at(offsetof(Arguments, stored_config)));
    mov(rdx, at(offsetof(Arguments, stride)));
    tileload(tmm0, offsetof(Arguments, c));
    tileload(tmm3, offsetof(Arguments, a));
    lea(rax, at(offsetof(Arguments, b)));
    tileloaddt1(tmm7, ptr[rax + rdx]);
    switch (product) {
      case Product::kSS: tdpbssd(tmm0, tmm3, tmm7); break;
      case Product::kSU: tdpbsud(tmm0, tmm3, tmm7); break;
      case Product::kUS: tdpbusd(tmm0, tmm3, tmm7); break;
      case Product::kUU: tdpbuud(tmm0, tmm3, tmm7); break;
      case Product::kBf16: tdpbf16ps(tmm0, tmm3, tmm7); break;
    }
    lea(rax, at(offsetof(Arguments, c)));
    tilestored(ptr[rax + rdx], tmm0);
    tilezero(tmm3);
    lea(rax, at(offsetof(Arguments, a)));
    tilestored(ptr[rax + rdx], tmm3);
    tilerelease();
    ret();
    setProtectModeRE();
  }

 private:
  Xbyak::Address at(size_t offset) { return ptr[rdi + static_cast<int>(offset)]; }
  void tileload(const Xbyak::Tmm& tile, size_t offset) {
    lea(rax, at(offset));
    tileloadd(tile, ptr[rax + rdx]);
  }
};

Arguments random_arguments(Product product, int m, int n, int k, uint32_t seed) {
  Arguments x;
  configure(&x, 0, m, 4 * n);
  configure(&x, 3, m, 4 * k);
  configure(&x, 7, k, 4 * n);
  std::mt19937 random(seed);
  for (uint8_t* bytes : {x.a, x.b, x.c})
    for (int i = 0; i < 1024; ++i) bytes[i] = static_cast<uint8_t>(random());
  if (product == Product::kBf16) {
    constexpr uint16_t kSpecial[] = {0x0000, 0x8000, 0x0001, 0x807f, 0x7f80, 0x7fc1, 0x0080, 0x7f7f, 0x2000};
    for (uint8_t* bytes : {x.a, x.b})
      for (int i = 0; i < 512; ++i) {
        const float value = std::uniform_real_distribution<float>(-2, 2)(random);
        uint16_t bits = static_cast<uint16_t>(bits_of(value) >> 16);
        if (random() % 64 == 0) bits = kSpecial[random() % std::size(kSpecial)];
        std::memcpy(bytes + 2 * i, &bits, 2);
      }
    for (int i = 0; i < 256; ++i) {
      const float value = std::uniform_real_distribution<float>(-2, 2)(random);
      std::memcpy(x.c + 4 * i, &value, 4);
    }
  }
  return x;
}

constexpr Product kProducts[] = {Product::kSS, Product::kSU, Product::kUS, Product::kUU, Product::kBf16};
constexpr int kShapes[][3] = {{16, 16, 16}, {1, 16, 16}, {16, 1, 16}, {16, 16, 1}, {7, 5, 11}, {1, 1, 1}};

void emulate(const Code& code, Arguments* arguments) {
  Machine machine;
  machine.call(code.getCode(), arguments);
}

int byte_of(const uint8_t* data, int row, int index, bool is_signed) {
  const uint8_t value = data[row * 64 + index];
  return is_signed ? static_cast<int8_t>(value) : value;
}

TEST(EmulatedTiles, ByteProductsAreExactSums) {
  for (const Product product : {Product::kSS, Product::kSU, Product::kUS, Product::kUU})
    for (const auto& [m, n, k] : kShapes) {
      const Arguments before = random_arguments(product, m, n, k, 7);
      Arguments x = before;
      emulate(Code(product), &x);
      for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
          uint32_t want, got;
          std::memcpy(&want, before.c + i * 64 + j * 4, 4);
          std::memcpy(&got, x.c + i * 64 + j * 4, 4);
          // Of B, row r holds the elements 4 r to 4 r + 3 of K for each column.
          for (int l = 0; l < 4 * k; ++l)
            want += static_cast<uint32_t>(
                byte_of(before.a, i, l, product == Product::kSS || product == Product::kSU) *
                byte_of(before.b, l / 4, 4 * j + l % 4, product == Product::kSS || product == Product::kUS));
          ASSERT_EQ(got, want) << m << " x " << n << " x " << k << " at " << i << ", " << j;
        }
      for (int i = 0; i < m; ++i)
        for (int byte = 0; byte < 4 * k; ++byte) ASSERT_EQ(x.a[i * 64 + byte], 0) << "after tilezero";
      EXPECT_EQ(std::memcmp(x.stored_config, x.config, 64), 0);
    }
}

TEST(EmulatedTiles, StoresNothingBeyondTheTile) {
  const Arguments before = random_arguments(Product::kSS, 3, 5, 2, 9);
  Arguments x = before;
  emulate(Code(Product::kSS), &x);
  for (int i = 0; i < 16; ++i)
    for (int byte = i < 3 ? 20 : 0; byte < 64; ++byte) ASSERT_EQ(x.c[i * 64 + byte], before.c[i * 64 + byte]);
}

TEST(EmulatedTiles, GivesTheHostsBits) {
  if (!is_native(Isa::kAmxInt8) || !is_native(Isa::kAmxBf16)) GTEST_SKIP() << "this CPU has no AMX";
  for (const Product product : kProducts)
    for (const auto& [m, n, k] : kShapes)
      for (uint32_t seed = 0; seed < 20; ++seed) {
        Arguments native = random_arguments(product, m, n, k, seed), emulated = native;
        const Code code(product);
        code.getCode<void (*)(Arguments*)>()(&native);
        emulate(code, &emulated);
        for (int i = 0; i < 256; ++i) {
          uint32_t got, want;
          std::memcpy(&got, emulated.c + 4 * i, 4);
          std::memcpy(&want, native.c + 4 * i, 4);
          const bool both_nan = product == Product::kBf16 && std::isnan(float_of(got)) && std::isnan(float_of(want));
          ASSERT_TRUE(got == want || both_nan) << static_cast<int>(product) << ": " << got << ", " << want;
        }
        EXPECT_EQ(std::memcmp(emulated.stored_config, native.stored_config, 64), 0);
      }
}

std::string refusal_of(const Arguments& arguments) {
  Arguments x = arguments;
  try {
    emulate(Code(Product::kSS), &x);
  } catch (const Refused& refused) {
    return refused.what();
  }
  return "accepted";
}

TEST(EmulatedTiles, RefusesWhatTheArchitectureRefuses) {
  const Arguments good = random_arguments(Product::kSS, 16, 16, 16, 1);
  EXPECT_EQ(refusal_of(good), "accepted");
  const auto with = [&](auto change) {
    Arguments x = good;
    change(x);
    return refusal_of(x);
  };
  EXPECT_NE(with([](Arguments& x) { x.config[0] = 2; }).find("palette 2"), std::string::npos);
  EXPECT_NE(with([](Arguments& x) { x.config[0] = 0; }).find("tile 0 is not configured"), std::string::npos);
  EXPECT_NE(with([](Arguments& x) { x.config[5] = 1; }).find("reserved"), std::string::npos);
  EXPECT_NE(with([](Arguments& x) { configure(&x, 0, 17, 64); }).find("17 rows"), std::string::npos);
  EXPECT_NE(with([](Arguments& x) { configure(&x, 0, 16, 68); }).find("68 bytes"), std::string::npos);
  EXPECT_NE(with([](Arguments& x) { configure(&x, 0, 16, 60); }).find("do not fit"), std::string::npos);
  EXPECT_NE(with([](Arguments& x) { configure(&x, 3, 15, 64); }).find("do not fit"), std::string::npos);
  EXPECT_NE(with([](Arguments& x) { configure(&x, 7, 0, 0); }).find("tile 7 is not configured"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine::emulator
