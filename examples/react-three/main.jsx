/**
 * The app: a slider that says how wild the sea is, the picture, and what the memory holds.
 */
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Sea } from './sea.jsx';

function App() {
  const [height, setHeight] = useState(1);
  const [numbers, setNumbers] = useState({ frames: 0, kib: 0 });
  const [error, setError] = useState('');
  return (
    <main>
      <form>
        <label>
          Waves{' '}
          <input
            type="range"
            min="0"
            max="3"
            step="0.1"
            value={height}
            onChange={(event) => setHeight(event.target.valueAsNumber)}
          />
        </label>
      </form>
      <Sea height={height} onNumbers={setNumbers} onError={({ message }) => setError(message)} />
      {error && <p role="alert">{error}</p>}
      <p role="status">
        {numbers.frames} frames drawn from shared memory, {numbers.kib} KiB of it
      </p>
    </main>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
