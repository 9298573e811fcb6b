// Draws one picture from another program: embed MODEL.safetensors "a slice of pizza" OUT.png
#include <cstdio>
#include <string>

#include "ldm/core/error.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"
#include "ldm/model/load_model.h"
#include "ldm/pipeline/generator.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: embed MODEL.safetensors PROMPT OUT.png\n");
    return 2;
  }
  try {
    const ldm::Generator generator(ldm::load_latent_diffusion(argv[1]));
    ldm::GenerateRequest request;
    request.prompt = argv[2];
    request.sampling.steps = 10;
    const auto say = [](const ldm::Progress& progress) {
      std::printf("step %d of %d\n", static_cast<int>(progress.done), static_cast<int>(progress.total));
    };
    const auto pictures = generator.generate(request, {.progress = say});
    ldm::write_file_atomic(argv[3], ldm::encode_png(pictures.front().image));
    return 0;
  } catch (const ldm::Error& error) {
    std::fprintf(stderr, "embed: %s\n", error.what());
    return 1;
  }
}
