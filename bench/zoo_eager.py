"""One UNet step or one decode of a published shape in PyTorch eager: what bench/compare_zoo.sh pairs with bench_zoo.

The original implementations' modules with fused attention, float32 weights of no meaning, inference mode, nothing compiled.
Prints "parameters SECONDS SECONDS ..." (one number a run, after two that are not counted; with one thread the
processor's time, with more the clock's). Needs torch only; never used at run time of ldm.
  python3 bench/zoo_eager.py sd15 --size 32 --threads 1 --runs 5
"""
import argparse
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

from torch_eager import Down, ResnetBlock, SpatialTransformer, Stage, Up, norm, timestep_embedding


class ResBlock(nn.Module):
    """As the original's default has it: the time embedding is added."""

    def __init__(self, cin, emb, cout):
        super().__init__()
        self.in_layers = nn.Sequential(norm(cin), nn.SiLU(), nn.Conv2d(cin, cout, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb, cout))
        self.out_layers = nn.Sequential(norm(cout), nn.SiLU(), nn.Identity(), nn.Conv2d(cout, cout, 3, padding=1))
        self.skip_connection = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x, emb):
        h = self.in_layers(x) + self.emb_layers(emb)[:, :, None, None]
        return self.skip_connection(x) + self.out_layers(h)


class AttentionBlock(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads, self.norm = heads, norm(channels)
        self.qkv, self.proj_out = nn.Conv1d(channels, 3 * channels, 1), nn.Conv1d(channels, channels, 1)

    def forward(self, x):
        h = x.flatten(2)
        q, k, v = self.qkv(self.norm(h)).unflatten(1, (self.heads, 3, -1)).transpose(-1, -2).unbind(2)
        h = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).flatten(1, 2)
        return x + self.proj_out(h).view_as(x)


class UNetStage(Stage):
    def forward(self, x, emb, context):
        for layer in self:
            if isinstance(layer, ResBlock):
                x = layer(x, emb)
            elif isinstance(layer, SpatialTransformer):
                x = layer(x, context)
            else:
                x = layer(x)
        return x


class UNet(nn.Module):
    """The original's UNetModel with two residual blocks a level. heads(channels) gives the number of heads."""

    def __init__(self, channels, width, mult, attention, heads, context=None):
        super().__init__()
        emb, ch, ds, widths = 4 * width, width, 1, [width]
        attend = lambda c: SpatialTransformer(c, context, c // heads(c), 4) if context else AttentionBlock(c, heads(c))
        self.width = width
        self.time_embed = nn.Sequential(nn.Linear(width, emb), nn.SiLU(), nn.Linear(emb, emb))
        self.input_blocks = nn.ModuleList([UNetStage(nn.Conv2d(channels, width, 3, padding=1))])
        for level, m in enumerate(mult):
            for _ in range(2):
                layers, ch = [ResBlock(ch, emb, m * width)], m * width
                self.input_blocks.append(UNetStage(*layers, *([attend(ch)] if ds in attention else [])))
                widths.append(ch)
            if level + 1 < len(mult):
                self.input_blocks.append(UNetStage(Down(ch)))
                widths.append(ch)
                ds *= 2
        self.middle_block = UNetStage(ResBlock(ch, emb, ch), attend(ch), ResBlock(ch, emb, ch))
        self.output_blocks = nn.ModuleList()
        for level, m in reversed(list(enumerate(mult))):
            for i in range(3):
                layers, ch = [ResBlock(ch + widths.pop(), emb, m * width)], m * width
                layers += [attend(ch)] if ds in attention else []
                if level and i == 2:
                    layers.append(Up(ch))
                    ds //= 2
                self.output_blocks.append(UNetStage(*layers))
        self.out = nn.Sequential(norm(ch), nn.SiLU(), nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, x, t, context):
        emb, skips = self.time_embed(timestep_embedding(t, self.width)), []
        for stage in self.input_blocks:
            x = stage(x, emb, context)
            skips.append(x)
        x = self.middle_block(x, emb, context)
        for stage in self.output_blocks:
            x = stage(torch.cat([x, skips.pop()], 1), emb, context)
        return self.out(x)


class MiddleAttention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = norm(channels, 1e-6)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        tokens = lambda y: y.flatten(2).transpose(1, 2).unsqueeze(1)
        h = F.scaled_dot_product_attention(tokens(self.q(h)), tokens(self.k(h)), tokens(self.v(h)))
        return x + self.proj_out(h.squeeze(1).transpose(1, 2).reshape(x.shape))


class Decode(nn.Module):
    """post_quant_conv and the decoder; with codes > 0 the quantiser before them."""

    def __init__(self, z, mult, codes=0):
        super().__init__()
        ch = 128 * mult[-1]
        self.codebook = nn.Embedding(codes, z) if codes else None
        layers = [nn.Conv2d(z, z, 1), nn.Conv2d(z, ch, 3, padding=1)]
        layers += [ResnetBlock(ch, ch), MiddleAttention(ch), ResnetBlock(ch, ch)]
        for level, m in reversed(list(enumerate(mult))):
            for _ in range(3):
                layers.append(ResnetBlock(ch, 128 * m))
                ch = 128 * m
            layers += [Up(ch)] if level else []
        self.layers = nn.Sequential(*layers, norm(ch, 1e-6), nn.SiLU(), nn.Conv2d(ch, 3, 3, padding=1))

    def forward(self, z):
        if self.codebook:
            flat, table = z.permute(0, 2, 3, 1).flatten(0, 2), self.codebook.weight
            nearest = (table.square().sum(1) - 2 * flat @ table.t()).argmin(1)
            z = self.codebook(nearest).view(z.shape[0], *z.shape[2:], -1).permute(0, 3, 1, 2)
        return self.layers(z)


MODELS = {
    "sd15": (4, lambda: UNet(4, 320, (1, 2, 4, 4), (1, 2, 4), lambda c: 8, 768)),
    "celeba": (3, lambda: UNet(3, 224, (1, 2, 3, 4), (2, 4, 8), lambda c: c // 32)),
    "cin256-v2": (3, lambda: UNet(3, 192, (1, 2, 3, 5), (2, 4, 8), lambda c: 1, 512)),
    "kl-f8": (4, lambda: Decode(4, (1, 2, 4, 4))),
    "vq-f4": (3, lambda: Decode(3, (1, 2, 4), 8192)),
}


@torch.inference_mode()
def main(a):
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    channels, make = MODELS[a.model]
    with torch.device("meta"):
        net = make().eval()
    net.to_empty(device="cpu")
    for p in net.parameters():  # The clock does not depend on the values; filling takes less time than drawing.
        p.fill_(1 / p[0].numel() if p.dim() > 1 else 0.1)
    x = torch.randn(a.batch, channels, a.size, a.size)
    inputs = (x,)
    if isinstance(net, UNet):
        context = {"sd15": (77, 768), "cin256-v2": (1, 512)}.get(a.model)
        inputs = (x, torch.full((a.batch,), 500.0), torch.randn(a.batch, *context) if context else None)
    seconds = []
    now = time.process_time if a.threads == 1 else time.perf_counter
    for _ in range(a.runs + 2):
        start = now()
        net(*inputs)
        seconds.append(now() - start)
    print(sum(p.numel() for p in net.parameters()), *(f"{s:.4f}" for s in seconds[2:]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--size", type=int, default=32, help="height and width of the latents")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5)
    main(parser.parse_args())
