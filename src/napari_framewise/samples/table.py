"""The samples by name."""

from __future__ import annotations

from napari_framewise.samples import (
    bending,
    changes,
    crops,
    drift,
    fading,
    focus,
    hole,
    index,
    mixtures,
    motion,
    pictures,
    pressure,
    radar,
    restored,
    room,
    scribbled,
    section,
    shrinking,
    spectral,
    volumes,
)
from napari_framewise.samples.sample import Sample

SAMPLES: dict[str, Sample] = {
    "two_references": Sample(
        "Mixture of two images",
        "2,000 noisy frames of 64 x 64, each mixed from two images; the shares are known.",
        mixtures.two_references,
    ),
    "three_references": Sample(
        "Mixture of three images",
        "1,500 noisy frames of 64 x 64, each mixed from three images; now and then one is missing.",
        mixtures.three_references,
    ),
    "sensor": Sample(
        "Sensor of 7 x 7 pixels",
        "96,108 frames of 7 x 7 from a tiny sensor, each mixed from two patterns of light.",
        mixtures.sensor,
    ),
    "bands": Sample(
        "16 bands, three dyes",
        "16 bands of 96 x 96, each pixel a sum of three dyes and a flat light; with the spectra.",
        spectral.bands,
    ),
    "photographs": Sample(
        "Mixture of two photographs",
        "500 noisy frames of 128 x 128, each mixed from two photographs of scikit-image.",
        pictures.photographs,
    ),
    "pages": Sample(
        "Mixture of two TIFF pages",
        "500 noisy frames of 15 x 10, mixed from the pages of scikit-image's multipage.tif.",
        pictures.pages,
    ),
    "faces": Sample(
        "Mixture of two faces",
        "2,000 noisy frames of 25 x 25, mixed from two faces of scikit-image's LFW subset.",
        pictures.faces,
    ),
    "drifting": Sample(
        "Drifting stack",
        "240 noisy frames of 128 x 128 that drift and rotate; the transform of each is known.",
        drift.drifting,
    ),
    "drifting_volume": Sample(
        "Drifting volume",
        "10 volumes of 14 x 48 x 48 flat voxels that drift and turn; the matrix of each is known.",
        volumes.drifting_volume,
    ),
    "bleaching_cells": Sample(
        "Bleaching cells",
        "150 noisy frames of 128 x 128 whose cells bleach; the half-life of their light is known.",
        fading.bleaching_cells,
    ),
    "index_image": Sample(
        "Index image with missing pixels",
        "6 images of 256 x 256, an index from -50 to 1 with gaps; what stands under them is known.",
        index.index_image,
    ),
    "bright_window": Sample(
        "Room with a bright window",
        "An image of 360 x 480 in linear light over seven decades; light and surfaces are known.",
        room.bright_window,
    ),
    "chessboards": Sample(
        "Chessboard under pressure",
        "6 images of a chessboard through a lens that bends with pressure; the map is known.",
        pressure.chessboards,
    ),
    "dots": Sample(
        "Dots under pressure",
        "6 images of a grid of dots through a lens that bends with pressure; the map is known.",
        pressure.dots,
    ),
    "lines": Sample(
        "Lines under pressure",
        "6 images of a grid of lines through a lens that bends with pressure; the map is known.",
        pressure.lines,
    ),
    "bent_tissue": Sample(
        "Bent tissue",
        "Stained tissue, 320 x 320, and the same bent by up to 9 px, paler; the bending is known.",
        bending.bent_tissue,
    ),
    "known_flow": Sample(
        "Known flow",
        "Two photographs of 288 x 384 on which cut-outs move apart; every displacement is known.",
        motion.known_flow,
    ),
    "zone_plate": Sample(
        "Zone plate",
        "An image of 512 x 512 whose frequency grows outwards to half a cycle per pixel.",
        shrinking.zone_plate,
    ),
    "bricks": Sample(
        "Photograph to shrink",
        "The bricks of scikit-image, 512 x 512: fine lines that alias when shrunk by picking.",
        shrinking.bricks,
    ),
    "cropped": Sample(
        "Crops of sixty scenes",
        "300 crops of 64 x 64, five of each scene, displaced, relit and noisy; groups are known.",
        crops.cropped,
    ),
    "out_of_focus": Sample(
        "Photograph out of focus",
        "A photograph of 256 x 256 out of focus, an LED that was as far away, and the truth.",
        focus.out_of_focus,
    ),
    "speckled": Sample(
        "Speckled scene",
        "4 radar images of 256 x 256 under speckle of 4 looks; what they show without is known.",
        radar.speckled,
    ),
    "clean_noisy_restored": Sample(
        "Clean, noisy and restored",
        "3 images of 256 x 256 with noise of 15, two restorations of each, and what is under it.",
        restored.clean_noisy_restored,
    ),
    "holed_photograph": Sample(
        "Photograph with a hole",
        "A photograph of 512 x 512 of which 3 % are painted over; what stood there is known.",
        hole.holed_photograph,
    ),
    "grey_photograph": Sample(
        "Grey photograph with scribbles",
        "The astronaut of scikit-image without its colours, and strokes that have them.",
        scribbled.grey_photograph,
    ),
    "known_changes": Sample(
        "Known changes",
        "3 images of 360 x 400 of a scene that moved, blurred and was lit otherwise, more each "
        "time; what really changed is known.",
        changes.known_changes,
    ),
    "weld_section": Sample(
        "Section of a weld",
        "600 x 900 pixels of speckle with the dark boundaries of three layers, which jitter and "
        "have gaps; where they run is known.",
        section.weld_section,
    ),
}
