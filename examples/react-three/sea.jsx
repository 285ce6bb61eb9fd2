/**
 * A canvas that three.js draws the sea on. The memory, the worker and the picture live as long as the
 * component is mounted; React renders it once, whatever happens in the frames.
 */
import { useEffect, useRef } from 'react';
import { startMemory } from './memory.js';
import { Picture } from './picture.js';

/** @param {{ height: number, onNumbers: Function, onError: Function }} properties */
export function Sea({ height, onNumbers, onError }) {
  const canvas = useRef(null);
  const wanted = useRef(height);
  useEffect(() => {
    wanted.current = height;
  }, [height]);

  useEffect(() => {
    let isMounted = true;
    let end = () => {};
    const start = async () => {
      const memory = await startMemory(onError);
      if (!isMounted) return memory.end(); // unmounted while it was loading
      const picture = new Picture(canvas.current);
      let frames = 0;
      picture.animate((time) => {
        memory.ask(time / 1000, wanted.current);
        // The block is the frame's, and pinned until three.js has handed it to the GPU.
        if (memory.withLatest((vertices) => picture.draw(vertices))) frames++;
        if (frames % 30 === 1) onNumbers({ frames, kib: memory.kib() });
      });
      end = () => {
        picture.end();
        memory.end();
      };
    };
    start().catch((error) => isMounted && onError(error));
    return () => {
      isMounted = false;
      end();
    };
  }, [onNumbers]);

  return <canvas ref={canvas} aria-label="The sea" />;
}
